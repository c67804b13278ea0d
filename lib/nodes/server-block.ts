/** The parts of a node's config that are limits, times and logs of nats-server. */
import { type ConfigBlock, withoutAbsent } from "../base/conf-format.ts";
import type { NodeSettings } from "../settings/setting-values.ts";

/** Options at the top of the config. Those that are absent have the server's defaults. */
export function limitsBlock(conf: NodeSettings): ConfigBlock {
  return withoutAbsent({
    max_payload: conf.maxPayload,
    max_connections: conf.maxConnections,
    max_pending: conf.maxPending,
    max_subscriptions: conf.maxSubscriptions,
    max_control_line: conf.maxControlLine,
    write_deadline: milliseconds(conf.writeDeadline),
    ping_interval: milliseconds(conf.pingInterval),
    ping_max: conf.pingMax,
    debug: conf.debug,
    trace: conf.trace,
    logtime: conf.logtime,
  });
}

/** Options in the block `jetstream`. */
export function jetStreamLimits(conf: NodeSettings): ConfigBlock {
  const limits = withoutAbsent({
    max_ack_pending: conf.maxAckPending,
    max_request_batch: conf.maxRequestBatch,
    max_ha_assets: conf.maxHaAssets,
    default_max_consumers: conf.defaultMaxConsumers,
    duplicate_window: milliseconds(conf.duplicateWindow),
  });
  return withoutAbsent({
    max_outstanding_catchup: conf.maxOutstandingCatchup,
    limits: Object.keys(limits).length === 0 ? undefined : limits,
  });
}

function milliseconds(duration: number | undefined): string | undefined {
  return duration === undefined ? undefined : `${duration}ms`;
}
