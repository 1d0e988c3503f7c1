import type { SideEvents } from './event-loop';
import { createDueHeap } from './sends';

/** Requests that no replica takes wait outside and ask again. */
export interface Gateway extends SideEvents {
  /** Gives a request to a replica, or keeps it. */
  send(id: number): void;
  readonly held: number;
}

export interface GatewayOptions {
  readonly retrySeconds: number;
  readonly timeoutSeconds: number;
  readonly nowSeconds: () => number;
  /** False where no replica takes the request now. */
  readonly admit: (id: number) => boolean;
  readonly onTimeout: (id: number) => void;
}

/** The gateway of reject-retry; other routers never turn a request away. */
export function createGateway(options: GatewayOptions): Gateway {
  const { retrySeconds, timeoutSeconds, nowSeconds, admit, onTimeout } = options;
  const due = createDueHeap();
  const since = new Map<number, number>();

  function send(id: number): void {
    const now = nowSeconds();
    if (admit(id)) {
      since.delete(id);
      return;
    }
    const start = since.get(id) ?? now;
    if (now - start >= timeoutSeconds) {
      since.delete(id);
      onTimeout(id);
      return;
    }
    since.set(id, start);
    due.push(Math.min(now + retrySeconds, start + timeoutSeconds), id);
  }

  return {
    get held() {
      return since.size;
    },
    send,
    nextSeconds: () => due.firstSeconds(),
    handle(now) {
      while (due.firstSeconds() <= now) send(due.pop());
    },
  };
}
