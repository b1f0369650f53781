/** `sonde check` against bad endpoints, headers, certificates and presets: exit code and the exact first line. */
import { type Row, SECRET, testRows } from "./cli_check_rows.ts";

const URL_RULE =
  "Write an absolute URL such as https://collector.example:4318, without user, query or fragment";
const endpoints: readonly Row[] = [
  ...["c:4318", "/v1/metrics", "http:/c", "ftp://c", "http://", "http://a b", "http://c:99999", "//c"].map((
    url,
  ) => ({
    args: ["--endpoint", url],
    first: `--endpoint  SONDE_ENDPOINT  "${url}" is not an absolute http or https URL  ${URL_RULE}`,
  })),
  {
    args: ["--endpoint", "http://c:6000"],
    first: `--endpoint  SONDE_ENDPOINT  port 6000 is blocked by the fetch standard  ${URL_RULE}`,
  },
  {
    args: ["--endpoint", `http://u:${SECRET}@c`],
    first:
      `--endpoint  SONDE_ENDPOINT  the URL holds a user or password; those belong in SONDE_HEADERS  ${URL_RULE}`,
  },
  {
    args: ["--endpoint", `http://c/?key=${SECRET}`],
    first:
      `--endpoint  SONDE_ENDPOINT  the URL holds a query or fragment, which would end up in logs  ${URL_RULE}`,
  },
  {
    args: ["--endpoint", `ftp://u:${SECRET}@c/?k=${SECRET}`],
    first: `--endpoint  SONDE_ENDPOINT  "ftp://c/" is not an absolute http or https URL  ${URL_RULE}`,
  },
  {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: "c:4318" },
    first:
      `environment  OTEL_EXPORTER_OTLP_ENDPOINT  "c:4318" is not an absolute http or https URL  ${URL_RULE}`,
  },
  {
    env: { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    first:
      'environment  OTEL_EXPORTER_OTLP_PROTOCOL  "grpc" is not spoken by sonde, which sends OTLP over HTTP  Write one of http/protobuf, http/json',
  },
  {
    env: { SONDE_PROTOCOL: "GRPC" },
    first:
      'environment  SONDE_PROTOCOL  "grpc" is not spoken by sonde, which sends OTLP over HTTP  Write one of http/protobuf, http/json',
  },
  {
    env: { SONDE_HEADERS: `a=${SECRET}%0d%0aEvil: 1` },
    first:
      "environment  SONDE_HEADERS  header 1 holds a line break or NUL  Write name=value pairs separated by commas, special characters as %XX",
  },
  {
    env: { OTEL_EXPORTER_OTLP_HEADERS: SECRET },
    first:
      'environment  OTEL_EXPORTER_OTLP_HEADERS  header 1 has no "="  Write name=value pairs separated by commas, special characters as %XX',
  },
  {
    env: { SONDE_HEADERS: "content-type=x" },
    first:
      'environment  SONDE_HEADERS  header "content-type" is set by sonde itself and cannot be replaced  Write name=value pairs separated by commas, special characters as %XX',
  },
  {
    env: { SONDE_ENDPOINT: "http://c", SONDE_API_KEY: `${SECRET}\u20ac` },
    first:
      'configuration  SONDE_API_KEY  header "authorization" holds a character that HTTP cannot carry  Look for characters that do not belong into the key',
  },
  {
    env: { SONDE_PROXY: `ftp://u:${SECRET}@p` },
    first:
      "environment  SONDE_PROXY  the value is not a proxy URL  Write a proxy URL such as http://proxy.example:3128",
  },
  {
    env: { SONDE_ENDPOINT: "http://c", SONDE_INSECURE_SSL: "true" },
    first:
      "configuration  SONDE_INSECURE_SSL  any certificate is accepted for destination default  Use SONDE_CA_FILE instead",
    code: 0,
  },
];

const H = { SONDE_ENDPOINT: "https://c" };
const certificates: readonly Row[] = [
  {
    env: { ...H, SONDE_CA_FILE: "/nonexistent" },
    first:
      'environment  SONDE_CA_FILE  "/nonexistent" cannot be read: it does not exist  Name a file that this user may read',
  },
  {
    env: { ...H, SONDE_CA_FILE: "/proc" },
    first:
      'environment  SONDE_CA_FILE  "/proc" cannot be read: it is not a regular file  Name a file that this user may read',
  },
  {
    env: { ...H, SONDE_CA_FILE: "DIR/junk" },
    first:
      'environment  SONDE_CA_FILE  "DIR/junk" does not hold a BEGIN CERTIFICATE block  Name a file in PEM form',
  },
  {
    env: { ...H, OTEL_EXPORTER_OTLP_CERTIFICATE: "DIR/junk" },
    first:
      'environment  OTEL_EXPORTER_OTLP_CERTIFICATE  "DIR/junk" does not hold a BEGIN CERTIFICATE block  Name a file in PEM form',
  },
  {
    env: { ...H, SONDE_CLIENT_CERT_FILE: "DIR/cert" },
    first:
      "environment  SONDE_CLIENT_CERT_FILE  is a client certificate without its key  Set SONDE_CLIENT_KEY_FILE as well",
  },
  {
    env: { ...H, SONDE_CLIENT_KEY_FILE: "DIR/cert" },
    first:
      'environment  SONDE_CLIENT_KEY_FILE  "DIR/cert" does not hold an unencrypted BEGIN PRIVATE KEY block  Name a file in PEM form',
  },
];

const presets: readonly Row[] = [
  {
    args: ["--preset", "splnk"],
    first: '--preset  SONDE_PRESET  "splnk" is not a preset  Did you mean splunk? There are console, otlp, ',
  },
  {
    args: ["--preset", "splunk"],
    first:
      "configuration  SONDE_REGION  is missing: preset splunk needs it  Set SONDE_REGION, for example eu0; see ",
  },
  {
    args: ["--preset", "dynatrace"],
    first:
      "configuration  SONDE_ENDPOINT  is missing: preset dynatrace needs it  Set SONDE_ENDPOINT or DT_ENDPOINT, for example ",
  },
  {
    args: ["--preset", "splunk"],
    env: { SONDE_API_KEY: SECRET, SONDE_REGION: "Mars" },
    first: 'environment  SONDE_REGION  "Mars" is not a realm such as us1  Compare it with ',
  },
  {
    args: ["--preset", "newrelic_otlp"],
    env: { SONDE_API_KEY: SECRET, SONDE_REGION: "mars" },
    first: 'environment  SONDE_REGION  "mars" is not one of us, eu, gov  Compare it with ',
  },
  // Every object has a member of this name.
  ...["newrelic_otlp", "datadog_otlp"].map((preset) => ({
    args: ["--preset", preset],
    env: { SONDE_API_KEY: SECRET, SONDE_REGION: "constructor" },
    first: 'environment  SONDE_REGION  "constructor" is not one of ',
  })),
  {
    env: { EXPORTER_TYPE: "datadog_otlp", DATADOG_API_KEY: SECRET, DATADOG_SITE: "ddog-gov.com" },
    first:
      'environment  DATADOG_SITE  "ddog-gov.com" is not one of ap1.datadoghq.com, ap2.datadoghq.com, datadoghq.com, datadoghq.eu, us3.datadoghq.com, us5.datadoghq.com  This site has no OTLP intake. Use the preset datadog_native',
  },
  {
    args: ["--preset", "prometheus", "--endpoint", "http://p"],
    env: { SONDE_TEMPORALITY: "delta" },
    first:
      "environment  SONDE_TEMPORALITY  preset prometheus does not take delta sums  Write cumulative or auto",
  },
  {
    args: ["--preset", "victoriametrics", "--endpoint", "http://v"],
    env: { SONDE_PROTOCOL: "http/json" },
    first:
      "environment  SONDE_PROTOCOL  preset victoriametrics does not take json  Write http/protobuf, or leave it out",
  },
];

testRows("endpoint", endpoints);
testRows("certificate", certificates);
testRows("preset", presets);
