import { describeBytes, formatSize, listSome } from "../../lib/base/wording.ts";
import { freeIn, STORE_KINDS, type Store, type StoreKind } from "../../lib/placement/room.ts";
import { type Canvas, hang, pad } from "./text.ts";

/** A node's stores. `reservedAtMost` is set if the servers may choose the hosts of some streams. */
export interface NodeRoom {
  readonly name: string;
  readonly room: Readonly<Record<StoreKind, Store & { readonly reservedAtMost?: number }>>;
}

/** The nodes' storage. Nodes with the same values share a line. */
export function renderRoom(nodes: readonly NodeRoom[], canvas: Canvas): string {
  const { colors } = canvas;
  const lines = STORE_KINDS.flatMap((kind) => {
    const alike = [...Map.groupBy(nodes, ({ room }) => describeStore(room[kind]))];
    return alike.map(([text, some], index) => {
      const which = alike.length === 1 ? "each node" : listSome(some.map(({ name }) => name));
      const label = pad(colors.dim(index === 0 ? kind : ""), LABEL_WIDTH);
      return hang(`${INDENT}${label}`, `${text} on ${which}`, canvas);
    });
  });
  return [colors.bold("Room"), ...lines].join("\n");
}

const INDENT = "  ";
const LABEL_WIDTH = 8;

/** E.g. `450MiB of 1GiB reserved, 12.0 MiB used, 574MiB free`. */
function describeStore(store: NodeRoom["room"][StoreKind]): string {
  const { max, reserved, used, reservedAtMost = reserved } = store;
  const least = freeIn({ max, used, reserved: reservedAtMost });
  return [
    ...(reservedAtMost > 0
      ? [`${rangeOf(reserved, reservedAtMost)} of ${describeBytes(max)} reserved`]
      : []),
    ...(used > 0 ? [`${formatSize(used)} used`] : []),
    `${rangeOf(least, freeIn(store))} free`,
  ].join(", ");
}

function rangeOf(least: number, most: number): string {
  if (least === 0 && most > 0) return `up to ${describeBytes(most)}`;
  return least === most ? describeBytes(most) : `${describeBytes(least)} to ${describeBytes(most)}`;
}
