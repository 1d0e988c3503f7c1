import type { EncodePart } from '../../spec/kinds/serve-encode';
import { createEncoders, type Encoders } from './encoders';
import type { Estimator } from './estimator';
import type { GeneralOptions } from './first-role';
import type { Replica } from './replica';
import { createRoleControl, type RoleControl } from './role-control';
import type { State } from './state';

/** Accelerators of a strategy whose roles change, over all stages; undefined where they do not. */
export function changingAccelerators({
  encode,
  topology,
}: GeneralOptions['strategy']): number | undefined {
  if (encode.type !== 'pool' || encode.roles.type === 'none' || topology.type !== 'pools')
    return undefined;
  return encode.workers + topology.prefillReplicas + topology.decodeReplicas;
}

/** Seconds of a request's images in the first iteration of its prompt; they are encoded once. */
export function inlineEncoding(
  encode: EncodePart,
  items: Int32Array | undefined,
): ((id: number) => number) | undefined {
  if (encode.type !== 'inline' || items === undefined) return undefined;
  const isEncoded = new Uint8Array(items.length);
  return (id) => {
    if (isEncoded[id] === 1) return 0;
    isEncoded[id] = 1;
    return ((items[id] as number) * encode.millisecondsPerItem) / 1e3;
  };
}

/** Ties encoders, and who changes to and from them, to what happens to requests. */
export function tieEncode(
  { strategy, workload }: GeneralOptions,
  state: State,
  replicas: readonly Replica[],
  unpulled: (() => readonly number[]) | undefined,
  estimator: Estimator,
): { readonly encoders: Encoders; readonly control: RoleControl | undefined } | undefined {
  const { encode, topology } = strategy;
  if (encode.type !== 'pool') return undefined;
  const { hooks } = state;
  const most = changingAccelerators(strategy);
  const encoders = createEncoders({
    part: encode,
    most: most ?? encode.workers,
    items: workload.items ?? new Int32Array(state.requests.count),
    nowSeconds: () => state.nowSeconds,
    onReady: (id) => hooks.onEncoded(id),
  });
  hooks.encodes = encoders.take;
  if (most === undefined || encode.roles.type === 'none' || topology.type !== 'pools')
    return { encoders, control: undefined };
  let open = 0;
  const control = createRoleControl({
    part: encode.roles,
    encoders,
    prefill: replicas.filter(({ role }) => role === 'prefill'),
    decode: replicas.filter(({ role }) => role === 'decode'),
    active: { prefill: topology.prefillReplicas, decode: topology.decodeReplicas },
    estimator,
    state: () => state,
    unpulled: () => unpulled?.() ?? [],
    isOver: () => open === 0,
  });
  const sent = new Uint8Array(state.requests.count);
  const { onSent, onCompleted, onRefused } = hooks;
  hooks.onSent = (id) => {
    onSent(id);
    sent[id] = 1;
    open++;
    control.begin(state.nowSeconds);
  };
  hooks.onCompleted = (replica, id) => {
    onCompleted(replica, id);
    open--;
  };
  hooks.onRefused = (id) => {
    onRefused(id);
    if (sent[id] === 1) open--;
  };
  return { encoders, control };
}
