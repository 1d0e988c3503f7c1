import type { PriorityPart } from '../../../lib/spec/kinds/serve-parts';
import type { PlainComposedRequest } from './plain-composed';

/** Key of a request as it stands: the smallest goes first. Prediction errors are not part of this. */
function keyOf(part: PriorityPart, request: PlainComposedRequest): number {
  switch (part.type) {
    case 'fcfs':
    case 'vtc':
      return request.arrival;
    case 'lcfs':
      return -request.arrival;
    case 'sjf': {
      const { prompt, total } = request;
      const length = { prompt, output: total - prompt, total }[part.by];
      return length + part.agingTokensPerSecond * request.arrival;
    }
    case 'srpt':
      return request.total - request.processed;
    case 'edf':
      return request.arrival + part.baseSeconds + part.secondsPerPromptToken * request.prompt;
    default:
      throw new Error(`no plain rule for priority ${part.type}`);
  }
}

export const runningKey = keyOf;
export const waitingKey = keyOf;

/** The waiting requests as one list, searched anew every time. */
export function createPlainQueue(part: PriorityPart) {
  let list: PlainComposedRequest[] = [];
  /** Weighted tokens served per client. */
  const served = new Map<number, number>();
  let lastWaiting: number | undefined;
  const servedTo = (client: number) => served.get(client) ?? 0;
  const clientsWaiting = () => [...new Set(list.map(({ client }) => client))];

  const lift = (client: number) => {
    if (part.type !== 'vtc' || list.some((each) => each.client === client)) return;
    const others = clientsWaiting().map(servedTo);
    const floor =
      others.length > 0
        ? Math.min(...others)
        : lastWaiting === undefined
          ? 0
          : servedTo(lastWaiting);
    served.set(client, Math.max(servedTo(client), floor));
  };

  return {
    arrive(request: PlainComposedRequest) {
      lift(request.client);
      list = part.type === 'lcfs' ? [request, ...list] : [...list, request];
    },
    giveBack(request: PlainComposedRequest) {
      lift(request.client);
      list = [request, ...list];
    },
    first(): PlainComposedRequest | undefined {
      if (part.type === 'fcfs' || part.type === 'lcfs') return list[0];
      if (part.type === 'vtc') {
        const client = clientsWaiting().sort((a, b) => servedTo(a) - servedTo(b) || a - b)[0];
        return list.find((each) => each.client === client);
      }
      return [...list].sort((a, b) => keyOf(part, a) - keyOf(part, b) || a.id - b.id)[0];
    },
    take(request: PlainComposedRequest) {
      list = list.filter((each) => each !== request);
      if (part.type !== 'vtc') return;
      served.set(request.client, servedTo(request.client) + part.inputWeight * request.prefill);
      if (!list.some((each) => each.client === request.client)) lastWaiting = request.client;
    },
    /** One output token. */
    serve({ client }: PlainComposedRequest) {
      if (part.type === 'vtc') served.set(client, servedTo(client) + part.outputWeight);
    },
  };
}
