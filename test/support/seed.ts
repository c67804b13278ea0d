import type { Fleet, Server } from "../../lib/placement/placement.ts";

/** The nine servers of the seed with their tags. */
export const SEED_SERVERS: readonly Server[] = Object.entries({
  "rg1-az1": ["rg:1", "az:1", "xr:123", "xr:132"],
  "rg1-az2": ["rg:1", "az:2", "xr:213", "xr:231"],
  "rg1-az3": ["rg:1", "az:3", "xr:312", "xr:321"],
  "rg2-az1": ["rg:2", "az:1", "xr:213", "xr:312"],
  "rg2-az2": ["rg:2", "az:2", "xr:123", "xr:321"],
  "rg2-az3": ["rg:2", "az:3", "xr:132", "xr:231"],
  "rg3-az1": ["rg:3", "az:1", "xr:231", "xr:321"],
  "rg3-az2": ["rg:3", "az:2", "xr:132", "xr:312"],
  "rg3-az3": ["rg:3", "az:3", "xr:123", "xr:213"],
}).map(([name, tags]) => ({ name, cluster: "c1", tags }));

export const SEED_FLEET: Fleet = { cluster: "c1", uniqueTag: "az:", servers: SEED_SERVERS };
