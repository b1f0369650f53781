/**
 * The house rules that need to read syntax, as a plugin of `deno lint`: what is called where, sizes, casts, names.
 * An exception is `// deno-lint-ignore sonde/RULE -- reason` at the place itself.
 * @module
 */
import {
  BANNED_TYPE_WORDS,
  BANNED_WORDS,
  FUNCTION_LINES_MAX,
  KEY_VALUES,
  matches,
  OUTSIDE,
  PARAMETERS_MAX,
  PLACES,
  VENDORS,
} from "./layout_table.ts";

type Context = Deno.lint.RuleContext;
type FunctionNode =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);

function pathOf(context: Context): string {
  const { filename } = context;
  return filename.startsWith(ROOT) ? filename.slice(ROOT.length) : filename;
}

/** Words of an identifier or file name: "postUrl", "post_url" and "PostURL" have two. */
export function words(name: string): string[] {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase().split(/[^a-z0-9]+/);
}

function findPlace(call: string, path: string): string | undefined {
  if (matches(path, OUTSIDE)) return undefined;
  const rule = PLACES.find(({ calls }) =>
    calls.includes(call) || calls.includes(call.replace(/\..*$/, ".*"))
  );
  if (rule === undefined || matches(path, rule.allowed)) return undefined;
  return `"${call}" does not belong here: ${rule.reason}`;
}

const calls: Deno.lint.Rule = {
  create(context) {
    const path = pathOf(context);
    const check = (node: Deno.lint.Node, call: string) => {
      const message = findPlace(call, path);
      if (message !== undefined) context.report({ node, message });
    };
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier") return;
        if (node.property.type !== "Identifier" || node.computed) return;
        check(node, `${node.object.name}.${node.property.name}`);
      },
      CallExpression(node) {
        if (node.callee.type === "Identifier") check(node, node.callee.name);
      },
      NewExpression(node) {
        // `new Date(ms)` formats a given time; `new Date()` reads the clock.
        const isDate = node.callee.type === "Identifier" && node.callee.name === "Date";
        if (isDate && node.arguments.length === 0) check(node, "new Date");
      },
    };
  },
};

const vendors: Deno.lint.Rule = {
  create(context) {
    const path = pathOf(context);
    const rules = VENDORS.filter(({ allowed }) => !matches(path, allowed));
    const check = (node: Deno.lint.Node, text: string) => {
      const found = rules.map(({ name }) => name.exec(text)?.[0]).find((each) => each !== undefined);
      if (found === undefined || KEY_VALUES.includes(text)) return;
      context.report({ node, message: `"${found}" is a vendor: its name belongs in exporters/presets` });
    };
    return {
      Identifier: (node) => check(node, node.name),
      Literal: (node) => typeof node.value === "string" ? check(node, node.value) : undefined,
      TemplateElement: (node) => check(node, node.raw),
    };
  },
};

const sizes: Deno.lint.Rule = {
  create(context) {
    const check = (node: FunctionNode) => {
      const lines = context.sourceCode.getText(node).split("\n").length;
      if (lines > FUNCTION_LINES_MAX) {
        context.report({
          node,
          message: `function of ${lines} lines, expected at most ${FUNCTION_LINES_MAX}`,
        });
      }
      if (node.params.length > PARAMETERS_MAX) {
        const message = `${node.params.length} parameters, expected two and an options object`;
        context.report({ node, message });
      }
    };
    return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
  },
};

/** `as const` narrows and cannot lie. */
function isConst(type: Deno.lint.TypeNode): boolean {
  if (type.type !== "TSTypeReference") return false;
  return type.typeName.type === "Identifier" && type.typeName.name === "const";
}

const casts: Deno.lint.Rule = {
  create(context) {
    const report = (node: Deno.lint.Node, what: string) =>
      context.report({
        node,
        message: `${what}: let the types prove it, or give the reason in an ignore comment`,
      });
    return {
      TSAsExpression(node) {
        if (!isConst(node.typeAnnotation)) report(node, `cast with "as"`);
      },
      TSTypeAssertion: (node) => report(node, "cast with angle brackets"),
      TSNonNullExpression: (node) => report(node, `non-null "!"`),
      TSAnyKeyword: (node) => report(node, `"any"`),
    };
  },
};

function isIdentifier(node: { readonly type: string } | null | undefined): node is Deno.lint.Identifier {
  return node?.type === "Identifier";
}

const names: Deno.lint.Rule = {
  create(context) {
    const check = (id: { readonly type: string } | null | undefined, banned: readonly string[]) => {
      if (!isIdentifier(id)) return;
      const word = words(id.name).find((part) => banned.includes(part));
      if (word !== undefined) {
        context.report({ node: id, message: `"${id.name}": the word "${word}" says nothing` });
      }
    };
    const parameters = (node: FunctionNode) => node.params.forEach((each) => check(each, BANNED_WORDS));
    return {
      VariableDeclarator: (node) => check(node.id, BANNED_WORDS),
      FunctionDeclaration(node) {
        check(node.id, BANNED_TYPE_WORDS);
        parameters(node);
      },
      ArrowFunctionExpression: parameters,
      ClassDeclaration: (node) => check(node.id, BANNED_TYPE_WORDS),
      MethodDefinition: (node) => check(node.key, BANNED_TYPE_WORDS),
      PropertyDefinition: (node) => check(node.key, BANNED_WORDS),
      TSInterfaceDeclaration: (node) => check(node.id, BANNED_TYPE_WORDS),
      TSTypeAliasDeclaration: (node) => check(node.id, BANNED_TYPE_WORDS),
      TSPropertySignature: (node) => check(node.key, BANNED_WORDS),
    };
  },
};

const plugin: Deno.lint.Plugin = { name: "sonde", rules: { calls, vendors, sizes, casts, names } };
export default plugin;
