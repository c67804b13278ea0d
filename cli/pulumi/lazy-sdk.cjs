// @ts-nocheck: the loader of node has no types.
/**
 * Preloaded into the program and the dynamic provider: two packages that @pulumi/pulumi 3 requires at once
 * and uses only to serialize functions, which nothing here does, are loaded when something of them is
 * first asked for. They are 1,300 of 2,300 modules, and 0.4 s of the 0.55 s that each process takes to start.
 */
const Module = require("node:module");

const LAZY = new Set(["typescript", "@npmcli/arborist"]);
const { _load: load } = Module;

Module._load = function (request, ...rest) {
  if (!LAZY.has(request)) return load.call(this, request, ...rest);
  // Compiled imports copy the properties of what is no ES module, and would have it loaded.
  const get = (_, key) => key === "__esModule" || load.call(this, request, ...rest)[key];
  return new Proxy({}, { get });
};
