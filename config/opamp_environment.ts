/**
 * Environment names that packages of the OpAMP client read when they are loaded or used. A worker that runs the client
 * needs exactly these in its permissions; their values change nothing that matters here.
 * @module
 */

/** `ws` asks for the first two when it is imported, `yaml` for the others with each YAML body. */
export const OPAMP_ENVIRONMENT: readonly string[] = [
  "WS_NO_BUFFER_UTIL",
  "WS_NO_UTF_8_VALIDATE",
  "LOG_STREAM",
  "LOG_TOKENS",
];
