/** Named by the states of stacks. */
export {
  authorityProvider,
  certificateProvider,
} from "./certificates/certificate-lifecycles.ts";
