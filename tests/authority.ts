/**
 * A certificate authority of one test, made by openssl when it runs: certificates that are good, expired, for another
 * name, self-signed, or a client's.
 * @module
 */

/** A certificate and its key in PEM form, and where the files are. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

const CONFIG = `
[ca]
default_ca = only
[only]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
`;

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export class Authority {
  readonly #folder: string;
  #issued = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes an authority in a folder, which must be empty and is the caller's to remove. */
  static async open(folder: string): Promise<Authority> {
    const authority = new Authority(folder);
    await Deno.writeTextFile(`${folder}/ca.conf`, CONFIG);
    await Deno.writeTextFile(`${folder}/index.txt`, "");
    await Deno.writeTextFile(`${folder}/serial`, "01\n");
    await authority.#openssl(
      ...["req", "-x509", ...CURVE, "-subj", "/CN=test authority", "-days", "30"],
      ...["-keyout", "ca.key", "-out", "ca.pem"],
    );
    return authority;
  }

  /** PEM file with the authority's own certificate. */
  get caFile(): string {
    return `${this.#folder}/ca.pem`;
  }

  /** A certificate for names such as "DNS:otlp.example" or "IP:127.0.0.1". */
  issue(names: readonly string[]): Promise<Issued> {
    return this.#sign(names, ["-days", "20"]);
  }

  /** The same, valid for one day of 2020. */
  issueExpired(names: readonly string[]): Promise<Issued> {
    return this.#sign(names, ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"]);
  }

  /** As `openssl req -x509` makes it for a server: its own authority. */
  async selfSigned(names: readonly string[]): Promise<Issued> {
    const name = `own${++this.#issued}`;
    await this.#openssl(
      ...["req", "-x509", ...CURVE, "-subj", "/CN=self", "-days", "20"],
      ...["-addext", `subjectAltName=${names.join(",")}`, "-keyout", `${name}.key`, "-out", `${name}.pem`],
    );
    return await this.#read(name);
  }

  async #sign(names: readonly string[], period: readonly string[]): Promise<Issued> {
    const name = `leaf${++this.#issued}`;
    await this.#openssl(
      ...["req", "-new", ...CURVE, "-subj", "/CN=test leaf", "-addext", `subjectAltName=${names.join(",")}`],
      ...["-addext", "basicConstraints=CA:FALSE", "-keyout", `${name}.key`, "-out", `${name}.csr`],
    );
    await this.#openssl(
      ...["ca", "-batch", "-notext", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key"],
      ...[...period, "-in", `${name}.csr`, "-out", `${name}.pem`],
    );
    return await this.#read(name);
  }

  async #read(name: string): Promise<Issued> {
    const [certFile, keyFile] = [`${this.#folder}/${name}.pem`, `${this.#folder}/${name}.key`];
    await Deno.chmod(keyFile, 0o600);
    return {
      cert: await Deno.readTextFile(certFile),
      key: await Deno.readTextFile(keyFile),
      certFile,
      keyFile,
    };
  }

  async #openssl(...args: readonly string[]): Promise<void> {
    const { success, stderr } = await new Deno.Command("openssl", {
      args: [...args],
      cwd: this.#folder,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) throw new Error(`Cannot run openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
  }
}
