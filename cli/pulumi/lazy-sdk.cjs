// @ts-nocheck: the loader of node has no types.
/**
 * Preloaded into the program and the dynamic provider: what @pulumi/pulumi 3 loads at once, and uses only to serialize
 * functions, to drive the CLI, to read others' packages or to trace itself, which nothing here does. All of it is
 * 1,600 of 2,300 modules. Of zod, messages in 50 languages.
 */
const Module = require("node:module");

/** Loaded when something of them is first asked for: packages, and modules by the files of the SDK that ask for them. */
const LAZY = new Set(["typescript", "@npmcli/arborist", "normalize-package-data", "js-yaml"]);
const LAZY_IN = { "./automation": "/@pulumi/pulumi/index.js" };

/** Modules that do something by being loaded, by the files of the SDK that load them; and what these get of them. */
const REPLACED = {
  // Attaches a debugger, to tell where functions are that are serialized. It costs all else its speed.
  "../../runtime/closure/v8Hooks": {
    in: "/@pulumi/pulumi/cmd/run/index.js",
    by: { isInitializedAsync: async () => {} },
  },
  // Looks up each frame of each stack trace. Types that are stripped leave positions as they are.
  "source-map-support/register": {
    in: ["/@pulumi/pulumi/cmd/run/index.js", "/@pulumi/pulumi/cmd/dynamic-provider/index.js"],
    by: {},
  },
  ...(!process.argv.some((argument) => argument.startsWith("--tracing")) && {
    "./tracing": {
      in: "/@pulumi/pulumi/cmd/run/run.js",
      by: { newSpan: () => new Proxy({}, { get: () => () => {} }) },
    },
  }),
};

const { _load: load } = Module;

Module._load = function (request, parent, ...rest) {
  const isFrom = (files = []) => [files].flat().some((file) => parent?.filename?.endsWith(file));
  const replaced = REPLACED[request];
  if (replaced && isFrom(replaced.in)) return { __esModule: true, ...replaced.by };
  if (!LAZY.has(request) && !isFrom(LAZY_IN[request])) {
    return load.call(this, request, parent, ...rest);
  }
  // Compiled imports copy the properties of what is no ES module, and would have it loaded.
  const get = (_, key) => {
    if (key === "__esModule") return true;
    const loaded = load.call(this, request, parent, ...rest);
    return key === "default" && !loaded.__esModule ? loaded : loaded[key];
  };
  return new Proxy({}, { get });
};

const NOTHING = { url: "data:text/javascript,", format: "module", shortCircuit: true };

// A Command may start another node, which has these options from the environment; before 22.15 it has no such hooks.
Module.registerHooks?.({
  // English, which is the default, has a module of its own.
  resolve: (specifier, context, next) =>
    specifier === "../locales/index.js" && context.parentURL?.includes("/node_modules/zod/")
      ? NOTHING
      : next(specifier, context),
});
