/**
 * What `check` answers about the OpAMP link: the same words and the same exit code as for a destination, before
 * anything is started (contract: check).
 */
import { type Row, testRows } from "./cli_check_rows.ts";

const O = { SONDE_OPAMP_ENDPOINT: "https://fleet.example/v1/opamp" };

const certificates: readonly Row[] = [
  {
    env: { ...O, SONDE_OPAMP_CA_FILE: "/nonexistent" },
    first:
      'environment  SONDE_OPAMP_CA_FILE  "/nonexistent" cannot be read: it does not exist  Name a file that this user may read',
  },
  {
    env: { ...O, SONDE_OPAMP_CA_FILE: "DIR/junk" },
    first:
      'environment  SONDE_OPAMP_CA_FILE  "DIR/junk" does not hold a BEGIN CERTIFICATE block  Name a file in PEM form',
  },
  {
    env: { ...O, SONDE_OPAMP_CLIENT_CERT_FILE: "DIR/junk", SONDE_OPAMP_CLIENT_KEY_FILE: "DIR/cert" },
    first:
      'environment  SONDE_OPAMP_CLIENT_CERT_FILE  "DIR/junk" does not hold a BEGIN CERTIFICATE block  Name a file in PEM form',
  },
  {
    env: { ...O, SONDE_OPAMP_CLIENT_KEY_FILE: "DIR/cert", SONDE_OPAMP_CLIENT_CERT_FILE: "DIR/cert" },
    first:
      'environment  SONDE_OPAMP_CLIENT_KEY_FILE  "DIR/cert" does not hold an unencrypted BEGIN PRIVATE KEY block  Name a file in PEM form',
  },
  {
    env: { ...O, SONDE_OPAMP_CLIENT_CERT_FILE: "DIR/cert" },
    first:
      "environment  SONDE_OPAMP_CLIENT_CERT_FILE  is a client certificate without its key  Set SONDE_OPAMP_CLIENT_KEY_FILE as well",
  },
];

const link: readonly Row[] = [
  {
    env: { SONDE_OPAMP_ENDPOINT: "wss://fleet.example", SONDE_OPAMP_PROXY: "http://proxy.example:3128" },
    first:
      "environment  SONDE_OPAMP_PROXY  there is no proxy over WebSocket  Poll by http or https, or leave the proxy out",
  },
  {
    env: { SONDE_OPAMP_ENDPOINT: "ws://fleet.example" },
    first:
      "environment  SONDE_OPAMP_ENDPOINT  the link is not encrypted: whoever is on the way can read it and answer in the server's name  Use https or wss",
    code: 0,
  },
  {
    env: { SONDE_OPAMP_ENDPOINT: "http://127.0.0.1:4320", SONDE_OPAMP_OWN_TELEMETRY: "metrics" },
    first:
      "environment  SONDE_OPAMP_OWN_TELEMETRY  no server's offer can be taken: there is no https origin to send to  List it in SONDE_OPAMP_ALLOWED_ENDPOINTS",
    code: 0,
  },
  {
    env: { OTEL_PYTHON_OPAMP_ENDPOINT: "http://fleet.example/v1/opamp" },
    first: "environment  OTEL_PYTHON_OPAMP_ENDPOINT  the link is not encrypted: ",
    code: 0,
  },
  {
    env: { ...O, SONDE_OPAMP_ALLOWED_ENDPOINTS: "https://other.example/v1/opamp" },
    first:
      'environment  SONDE_OPAMP_ALLOWED_ENDPOINTS  "https://other.example/v1/opamp" holds a path  Write a list of origins such as https://other.example:4320, without a path',
  },
  {
    env: { ...O, SONDE_OPAMP_ALLOWED_ENDPOINTS: "other.example" },
    first:
      'environment  SONDE_OPAMP_ALLOWED_ENDPOINTS  "other.example" is not an absolute http or https URL  Write ',
  },
];

testRows("certificates of the OpAMP link", certificates);
testRows("the OpAMP link", link);
