// @ts-nocheck: the loader of node has no types.
/**
 * Preloaded into the program and the dynamic provider unless somebody debugs: takes from @pulumi/pulumi 3 what it tells
 * the CLI of each step of each resource, a request each, which the CLI throws away without `--debug`; and the stack trace
 * that it takes for each of its promises, which nobody sees without PULUMI_DEBUG_PROMISE_LEAKS. What a promise that never
 * ends does stays: the program fails.
 */
const Module = require("node:module");

const { _load: load } = Module;
const patched = new WeakSet();

Module._load = function (request, parent, ...rest) {
  const loaded = load.call(this, request, parent, ...rest);
  const isOfSdk = /\/@pulumi\/pulumi\/(?!.*\/node_modules\/)/.test(parent?.filename);
  if (!isOfSdk || !/\/(log|debuggable)$/.test(request)) return loaded;
  // Where modules load each other, the first to ask gets one that has nothing yet.
  if (patched.has(loaded) || !(loaded.debug ?? loaded.debuggablePromise)) return loaded;
  patched.add(loaded);
  if (loaded.debug) loaded.debug = async () => {};
  if (loaded.debuggablePromise && !loaded.debugPromiseLeaks) {
    const { debuggablePromise } = loaded;
    loaded.debuggablePromise = (...args) => withoutTraces(() => debuggablePromise(...args));
  }
  return loaded;
};

function withoutTraces(work) {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
