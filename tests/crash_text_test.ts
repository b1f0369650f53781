/** What a fault of our own prints: everything that helps to mend it, and no secret. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { crashText, withoutPlanted } from "../commands/crash_text.ts";
import { inFolder } from "./program.ts";

const SECRETS = {
  key: "planted-key-11aa",
  header: "planted-header-22bb",
  password: "planted-pass-33cc",
  flag: "planted-flag-44dd",
  file: "planted-file-55ee",
  quoted: "planted quoted 66ff",
} as const;

Deno.test("crashText() keeps message and stack, and takes out what is a secret anywhere", async () => {
  await inFolder((folder) => {
    const file = `${folder}/sonde.env`;
    Deno.writeTextFileSync(
      file,
      `# mine\nSONDE_API_KEY=${SECRETS.file}\nexport DT_API_TOKEN="${SECRETS.quoted}"\n`,
    );
    const said = Object.values(SECRETS).join(" and ");
    const text = crashText(new Error(`BUG: cannot use ${said} at http://backend.example`), {
      env: {
        SONDE_HEADERS: `x-tenant=${SECRETS.header},x-other=word`,
        HTTPS_PROXY: `http://user:${SECRETS.password}@proxy.example:3128`,
        NEWRELIC_LICENSE_KEY: SECRETS.key,
        HOME: "/root",
      },
      args: ["run", "-c", file, "--set", `SONDE_API_KEY=${SECRETS.flag}`],
    });
    for (const secret of Object.values(SECRETS)) assert(!text.includes(secret), text);
    assertStringIncludes(text, "BUG: cannot use **** and **** ");
    assertStringIncludes(text, "backend.example");
    assertStringIncludes(text, "crash_text_test.ts");
    return Promise.resolve();
  });
});

Deno.test("crashText() knows every way to name the configuration file", async () => {
  await inFolder((folder) => {
    const file = `${folder}/sonde.env`;
    Deno.writeTextFileSync(file, `SONDE_API_KEY=${SECRETS.file}\n`);
    const forms = [["-c", file], [`-c${file}`], [`-c=${file}`], ["--env-file", file], [`--env-file=${file}`]];
    for (const args of forms) {
      const text = crashText(`found ${SECRETS.file}`, { env: {}, args: ["run", ...args] });
      assertEquals(text, "found ****", args.join(" "));
    }
    return Promise.resolve();
  });
});

Deno.test("withoutPlanted() leaves words, and what is no secret's value", () => {
  const places = {
    env: { SONDE_API_KEY: "abc", SONDE_PRESET: "dynatrace" },
    args: ["run"],
    files: ["INTERVAL=10s"],
  };
  const text = "abc: preset dynatrace, every 10s";
  assertEquals(withoutPlanted(text, places), text);
});

Deno.test("crashText() takes what is no Error", () => {
  assertEquals(crashText("gone", { env: {}, args: [] }), "gone");
});
