/** The states of stacks refer to this path. */
export {
  authorityProvider,
  certificateProvider,
} from "./certificates/certificate-lifecycles.ts";
