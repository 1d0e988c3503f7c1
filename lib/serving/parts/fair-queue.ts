import type { PriorityPart } from '../../spec/kinds/serve-parts';
import { createIdQueue, type IdQueue, idsOf, removeId } from '../core/id-queue';
import type { RequestView } from './views';
import type { WaitingQueue } from './waiting-queue';

type Vtc = Extract<PriorityPart, { type: 'vtc' }>;

interface Client {
  readonly waiting: IdQueue;
  /** Weighted tokens served, less `outputWeight x active` per decode step done. */
  service: number;
  /** Requests that decode now. */
  active: number;
}

/**
 * Virtual token counter (Sheng et al., 2024): the waiting client with the least weighted service
 * goes first, its own requests first come first served. A counter grows by the input when a request
 * enters and by the output as it decodes; a client that comes back is lifted to the least counter
 * of those that wait, or of the one that waited last, so that idleness saves up nothing.
 */
export function fairQueue(part: Vtc, requests: RequestView): WaitingQueue {
  const clients = new Map<number, Client>();
  /** Clients with something waiting, by id. */
  const present: number[] = [];
  let lastPresent: Client | undefined;
  let length = 0;

  function clientOf(id: number): Client {
    const client = requests.clientIds[id] as number;
    let found = clients.get(client);
    if (found === undefined) {
      found = { waiting: createIdQueue(), service: 0, active: 0 };
      clients.set(client, found);
    }
    return found;
  }
  const counter = (client: Client, step: number): number =>
    client.service + part.outputWeight * client.active * step;

  function least(step: number): Client {
    let best: Client | undefined;
    for (const name of present) {
      const client = clients.get(name) as Client;
      if (best === undefined || counter(client, step) < counter(best, step)) best = client;
    }
    if (best === undefined) throw new RangeError('peek at an empty queue');
    return best;
  }

  function enter(id: number, step: number): Client {
    const client = clientOf(id);
    if (client.waiting.length === 0) {
      const floor =
        length > 0
          ? counter(least(step), step)
          : lastPresent === undefined
            ? 0
            : counter(lastPresent, step);
      client.service += Math.max(0, floor - counter(client, step));
      present.push(requests.clientIds[id] as number);
      present.sort((a, b) => a - b);
    }
    length++;
    return client;
  }

  return {
    get length() {
      return length;
    },
    peek: (step) => least(step).waiting.at(0),
    pop(step) {
      const client = least(step);
      const id = client.waiting.popFront();
      client.service += part.inputWeight * (requests.prefillTokens[id] as number);
      length--;
      if (client.waiting.length === 0) {
        present.splice(present.indexOf(requests.clientIds[id] as number), 1);
        lastPresent = client;
      }
      return id;
    },
    arrive: (id, step) => enter(id, step).waiting.pushBack(id),
    giveBack: (id, step) => enter(id, step).waiting.pushFront(id),
    ids: () => present.flatMap((name) => idsOf((clients.get(name) as Client).waiting)),
    remove(id) {
      const client = clientOf(id);
      removeId(client.waiting, id);
      length--;
      if (client.waiting.length > 0) return;
      present.splice(present.indexOf(requests.clientIds[id] as number), 1);
      lastPresent = client;
    },
    keyOf: (id, step) => counter(clientOf(id), step),
    onJoin(id, step, emitted) {
      const client = clientOf(id);
      client.service += part.outputWeight * (emitted - step);
      client.active++;
    },
    onLeave(id, step) {
      const client = clientOf(id);
      client.service += part.outputWeight * step;
      client.active--;
    },
    isStable: false,
  };
}
