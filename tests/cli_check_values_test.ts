/** `sonde check` against bad values and bad files: exit code and the exact first line. */
import { type Row, testRows } from "./cli_check_rows.ts";

const values: readonly Row[] = [
  {
    args: ["--interval", "fast"],
    first:
      '--interval  SONDE_INTERVAL  "fast" is not a duration  Write a duration from 100ms to 1h, for example 10s',
  },
  {
    args: ["--interval", "-5s"],
    first:
      '--interval  SONDE_INTERVAL  "-5s" is not a duration  Write a duration from 100ms to 1h, for example 10s',
  },
  {
    args: ["--interval", "5"],
    first:
      '--interval  SONDE_INTERVAL  "5" is not a duration  Write a duration from 100ms to 1h, for example 10s',
  },
  {
    args: ["--interval", "1ms"],
    first:
      '--interval  SONDE_INTERVAL  "1ms" is less than 100ms  Write a duration from 100ms to 1h, for example 10s',
  },
  {
    args: ["--interval", "2h"],
    first:
      '--interval  SONDE_INTERVAL  "2h" is more than 1h  Write a duration from 100ms to 1h, for example 10s',
  },
  {
    args: ["--log-format", "xml"],
    first: '--log-format  SONDE_LOG_FORMAT  "xml" is not known  Write one of text, json',
  },
  { args: ["--set", "nonsense"], first: '--set  -  "nonsense" is not a key  Write --set SONDE_KEY=VALUE' },
  { args: ["--set", "=1"], first: '--set  -  "" is not a key  Write --set SONDE_KEY=VALUE' },
  { args: ["--set", "PATH=1"], first: '--set  -  "PATH" is not a key  Write --set SONDE_KEY=VALUE' },
  {
    args: ["--set", "SONDE_INTERVL=1s"],
    first: "--set  SONDE_INTERVL  unknown key  Did you mean SONDE_INTERVAL?",
  },
  {
    args: ["--set", "SONDE_QUEUE_MAX=big"],
    first: '--set  SONDE_QUEUE_MAX  "big" is not a size  Write a size from 64KiB to 1GiB, for example 4MiB',
  },
  {
    args: ["--set", "SONDE_QUEUE_MAX=1KiB"],
    first:
      '--set  SONDE_QUEUE_MAX  "1KiB" is less than 64KiB  Write a size from 64KiB to 1GiB, for example 4MiB',
  },
  {
    args: ["--set", "SONDE_SPOOL_MAX=1PiB"],
    first: '--set  SONDE_SPOOL_MAX  "1PiB" is not a size  Write a size from 1MiB to 64GiB, for example 4MiB',
  },
  {
    env: { SONDE_PER_CPU: "maybe" },
    first:
      'environment  SONDE_PER_CPU  "maybe" is neither true nor false  Write true or false (1 0 yes no on off mean the same)',
  },
  {
    env: { SONDE_SPOOL: "on" },
    first: 'environment  SONDE_SPOOL  "on" is not known  Write one of auto, always, off',
  },
  {
    env: { SONDE_LOG_LEVEL: "loud" },
    first: 'environment  SONDE_LOG_LEVEL  "loud" is not known  Write one of error, warn, info, debug',
  },
  {
    env: { SONDE_NAMING: "mine" },
    first: 'environment  SONDE_NAMING  "mine" is not known  Write one of auto, semconv, collector, dup',
  },
  {
    env: { SONDE_PROCESSES_TOP: "1.5" },
    first:
      'environment  SONDE_PROCESSES_TOP  "1.5" is not a whole number  Write a whole number from 0 to 100',
  },
  {
    env: { SONDE_PROCESSES_TOP: "101" },
    first: 'environment  SONDE_PROCESSES_TOP  "101" is more than 100  Write a whole number from 0 to 100',
  },
  {
    env: { SONDE_BYTES_PER_DAY: "lots" },
    first:
      'environment  SONDE_BYTES_PER_DAY  "lots" is not a size  Write none, or a size from 64KiB to 1000GiB, for example 4MiB',
  },
  {
    env: { SONDE_RECEIVE: "0.0.0.0:4318" },
    first:
      'environment  SONDE_RECEIVE  "0.0.0.0:4318" is not an address of this host with a port  Write off, or a loopback address such as 127.0.0.1:4318, or another one twice: 10.0.0.5:4318,10.0.0.5:4318',
  },
  {
    env: { SONDE_LISTEN: "127.0.0.1:99999" },
    first:
      "environment  SONDE_LISTEN  port 99999 does not exist  Write off, or a loopback address such as 127.0.0.1:4318",
  },
  {
    env: { SONDE_STATE_DIR: "state" },
    first: 'environment  SONDE_STATE_DIR  "state" is not an absolute path  Write an absolute path',
  },
  {
    env: { SONDE_COLLECTORS: "+cpuu" },
    first: 'environment  SONDE_COLLECTORS  "cpuu" matches no collector  Did you mean cpu? There are ',
  },
  {
    env: { SONDE_COLLECTORS: "+" },
    first:
      "environment  SONDE_COLLECTORS  an entry is a sign without a name  Write a list such as +name,-other*",
  },
  {
    env: { SONDE_DISK_EXCLUDE: "x,".repeat(201) },
    first:
      "environment  SONDE_DISK_EXCLUDE  the list has 201 entries, more than 200  Write a list separated by commas",
  },
  {
    env: { SONDE_RESOURCE_ATTRIBUTES: "a" },
    first:
      'environment  SONDE_RESOURCE_ATTRIBUTES  attribute 1 has no "="  Write key=value pairs separated by commas, special characters as %XX',
  },
];

const files: readonly Row[] = [
  { file: "SONDE_INTERVL=5s", first: "DIR/f:1  SONDE_INTERVL  unknown key  Did you mean SONDE_INTERVAL?" },
  {
    file: "# x\n\nSONDE_INTERVAL=5x",
    first:
      'DIR/f:3  SONDE_INTERVAL  "5x" is not a duration  Write a duration from 100ms to 1h, for example 10s',
  },
  {
    file: "A=1\nno equals here",
    first: "DIR/f:2  -  the line is not KEY=value  Write KEY=value, or # in front of a comment",
  },
  {
    file: "SONDE_A_ENDPOINT=http://h",
    first:
      'DIR/f:1  SONDE_A_ENDPOINT  unknown key  Did you mean SONDE_ENDPOINT? For a destination "a", add it to SONDE_DESTINATIONS',
  },
  {
    file: "SONDE_DESTINATIONS=A",
    first:
      'DIR/f:1  SONDE_DESTINATIONS  "A" is not a destination name  Write small letters and digits, beginning with a letter, and no first word of a key',
  },
  {
    file: "SONDE_DESTINATIONS=api",
    first:
      'DIR/f:1  SONDE_DESTINATIONS  "api" cannot be told from a key  Write small letters and digits, beginning with a letter, and no first word of a key',
  },
  {
    file: "SONDE_DESTINATIONS=a,a\nSONDE_A_ENDPOINT=http://h",
    first:
      'DIR/f:1  SONDE_DESTINATIONS  "a" is named twice  Write small letters and digits, beginning with a letter, and no first word of a key',
  },
  {
    file: "SONDE_DESTINATIONS=a",
    first:
      'configuration  SONDE_A_PRESET  destination "a" has neither a preset nor an endpoint  Write SONDE_A_PRESET=otlp and an endpoint',
  },
  {
    file: "SONDE_API_KEY_FILE=/nonexistent",
    first:
      'DIR/f:1  SONDE_API_KEY_FILE  "/nonexistent" cannot be read: it does not exist  Name a file that holds the value of SONDE_API_KEY',
  },
  {
    file: "SONDE_API_KEY_FILE=/",
    first:
      'DIR/f:1  SONDE_API_KEY_FILE  "/" cannot be read: it is not a regular file  Name a file that holds the value of SONDE_API_KEY',
  },
  {
    file: "SONDE_INTERVAL=5s\nSONDE_INTERVAL=6s",
    first: "DIR/f:2  SONDE_INTERVAL  is set twice; this one counts  Delete the other",
    code: 0,
  },
  {
    file: "SONDE_REGION=$NOPE",
    first:
      "DIR/f:1  SONDE_REGION  $NOPE expands to nothing  Set NOPE, or put the value in single quotes to keep the $",
    code: 0,
  },
  {
    file: "PATH=/bin\nOTHER_PROGRAM=1\nOTEL_BSP_MAX_QUEUE_SIZE=1",
    first: "configuration is good (DIR/f, 0 warnings)",
    code: 0,
  },
  {
    args: ["-c", "/nonexistent"],
    first: "/nonexistent  -  cannot be read: it does not exist  Name a file that exists with --env-file",
  },
  {
    env: { SONDE_PORT: "tcp://10.0.0.1:80" },
    first: "environment  SONDE_PORT  unknown key, ignored  Did you mean SONDE_ROOT?",
    code: 0,
  },
];

testRows("value", values);
testRows("file", files);
