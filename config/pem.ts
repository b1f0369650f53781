/**
 * What certificates and keys look like in a file, as far as it can be told without reading them: what is no PEM would
 * only fail at the first connection, as an error nobody can read. Small, since the courier looks as well.
 * @module
 */

/** What a file with certificates holds at least once. */
export const CERTIFICATE: RegExp = /-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----/;
/** What a file with a usable private key holds. */
export const PRIVATE_KEY: RegExp =
  /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[\sA-Za-z0-9+/=]+-----END (?:[A-Z]+ )?PRIVATE KEY-----/;
