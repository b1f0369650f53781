/**
 * OpAMP's definitions for `deno task gen`. No registry holds its .proto files, but an npm package carries their
 * descriptors; what those lack against the current specification is added here (opamp.md 5).
 * @module
 */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  EnumDescriptorProtoSchema,
  EnumValueDescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  SourceCodeInfo_LocationSchema,
  SourceCodeInfoSchema,
} from "@bufbuild/protobuf/wkt";
import { join } from "node:path";
import { generatedDescriptor } from "./otlp_fields.ts";
import { sha256 } from "./package/runtime.ts";

const PACKAGE = "@elastic/opamp-client-node@0.5.0";
const TARBALL = "elastic-opamp-client-node-0.5.0.tgz";
const SHA256 = "02ab8213ba1b0ed889b2fde790db75b73e654123b7677c478f0ca3609e17f24f";

/** Of the definitions; generated files must carry it. */
const NOTICE = [
  " Copyright The OpenTelemetry Authors",
  " SPDX-License-Identifier: Apache-2.0",
  " Definitions of the Open Agent Management Protocol (OpAMP), licensed under the Apache License, Version 2.0:",
  " http://www.apache.org/licenses/LICENSE-2.0",
  "",
].join("\n");

/** Path of `syntax` in a FileDescriptorProto: comments above it belong to the file. */
const SYNTAX_PATH = [12];

type Run = (command: string, args: readonly string[], cwd: string) => Promise<void>;

/** Writes a FileDescriptorSet of the whole protocol into `scratch` and returns its file name. */
export async function opampDescriptors(scratch: string, run: Run): Promise<string> {
  await run("npm", ["pack", "--ignore-scripts", "--silent", PACKAGE], scratch);
  const tarball = await Deno.readFile(join(scratch, TARBALL));
  const found = await sha256(tarball);
  if (found !== SHA256) {
    throw new RangeError(`Cannot use "${PACKAGE}": sha256 is ${found}, expected ${SHA256}`);
  }
  await run("tar", ["xzf", TARBALL], scratch);
  const anyvalue = await readDescriptor(join(scratch, "package/lib/generated/anyvalue_pb.js"));
  const opamp = await readDescriptor(join(scratch, "package/lib/generated/opamp_pb.js"));
  opamp.dependency = ["anyvalue.proto"];
  complete(opamp);
  for (const file of [anyvalue, opamp]) addNotice(file);
  const set = create(FileDescriptorSetSchema, { file: [anyvalue, opamp] });
  await Deno.writeFile(join(scratch, "opamp.binpb"), toBinary(FileDescriptorSetSchema, set));
  return "opamp.binpb";
}

async function readDescriptor(path: string): Promise<FileDescriptorProto> {
  const file = generatedDescriptor(await Deno.readTextFile(path), path);
  file.messageType.forEach(restoreJsonNames);
  return file;
}

/** Generated code leaves out the names that follow from others; without them buf believes they are empty. */
function restoreJsonNames(message: DescriptorProto): void {
  for (const each of message.field) each.jsonName = jsonNameOf(each.name);
  message.nestedType.forEach(restoreJsonNames);
}

function jsonNameOf(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function addNotice(file: FileDescriptorProto): void {
  const location = create(SourceCodeInfo_LocationSchema, {
    path: SYNTAX_PATH,
    span: [0, 0, 0],
    leadingDetachedComments: [NOTICE],
  });
  file.sourceCodeInfo = create(SourceCodeInfoSchema, { location: [location] });
}

/** What the specification has gained since the package's own definitions. */
function complete(file: FileDescriptorProto): void {
  const own = (name: string) => `.${file.package}.${name}`;
  const status = { type: Type.ENUM, typeName: own("ConnectionSettingsStatuses") };
  const tls = { type: Type.MESSAGE, typeName: own("TLSConnectionSettings") };
  const proxy = { type: Type.MESSAGE, typeName: own("ProxyConnectionSettings") };
  const list = Label.REPEATED;
  file.messageType.push(
    message("TLSConnectionSettings", [
      field("ca_pem_contents", 1),
      field("include_system_ca_certs_pool", 2, { type: Type.BOOL }),
      field("insecure_skip_verify", 3, { type: Type.BOOL }),
      field("min_version", 4),
      field("max_version", 5),
      field("cipher_suites", 6, { label: list }),
    ]),
    message("ProxyConnectionSettings", [
      field("url", 1),
      field("connect_headers", 2, { type: Type.MESSAGE, typeName: own("Headers") }),
    ]),
    message("ConnectionSettingsStatus", [
      field("last_connection_settings_hash", 1, { type: Type.BYTES }),
      field("status", 2, status),
      field("error_message", 3),
    ]),
  );
  const statuses = ["UNSET", "APPLIED", "APPLYING", "FAILED"];
  file.enumType.push(create(EnumDescriptorProtoSchema, {
    name: "ConnectionSettingsStatuses",
    value: statuses.map((name, number) => ({ name: `ConnectionSettingsStatuses_${name}`, number })),
  }));
  extend(file, "AgentToServer", [
    field("connection_settings_status", 15, {
      type: Type.MESSAGE,
      typeName: own("ConnectionSettingsStatus"),
    }),
  ]);
  extend(file, "OpAMPConnectionSettings", [field("tls", 5, tls), field("proxy", 6, proxy)]);
  extend(file, "TelemetryConnectionSettings", [field("tls", 4, tls), field("proxy", 5, proxy)]);
  extend(file, "OtherConnectionSettings", [field("tls", 5, tls), field("proxy", 6, proxy)]);
  extend(file, "ComponentHealth", [
    field("attributes", 7, { label: list, type: Type.MESSAGE, typeName: own("KeyValue") }),
  ]);
  const bits = file.enumType.find(({ name }) => name === "AgentCapabilities");
  if (bits === undefined) {
    throw new RangeError(`Cannot complete the definitions: "AgentCapabilities" is missing`);
  }
  const name = "AgentCapabilities_ReportsConnectionSettingsStatus";
  if (bits.value.every((each) => each.name !== name)) {
    bits.value.push(create(EnumValueDescriptorProtoSchema, { name, number: 0x8000 }));
  }
}

function message(name: string, field: readonly FieldDescriptorProto[]): DescriptorProto {
  return create(DescriptorProtoSchema, { name, field: [...field] });
}

/** A field; a singular string unless said otherwise. */
function field(name: string, number: number, kind: {
  readonly type?: Type;
  readonly label?: Label;
  readonly typeName?: string;
} = {}): FieldDescriptorProto {
  return create(FieldDescriptorProtoSchema, {
    ...{ name, number, jsonName: jsonNameOf(name), label: Label.OPTIONAL, type: Type.STRING },
    ...kind,
  });
}

/** Adds the fields a message does not have yet. */
function extend(file: FileDescriptorProto, name: string, fields: readonly FieldDescriptorProto[]): void {
  const target = file.messageType.find((each) => each.name === name);
  if (target === undefined) throw new RangeError(`Cannot complete the definitions: "${name}" is missing`);
  for (const each of fields) {
    if (target.field.every(({ number }) => number !== each.number)) target.field.push(each);
  }
}
