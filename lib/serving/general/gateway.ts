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
  /** It waits outside from now on. */
  readonly onHeld: (id: number) => void;
  readonly onTimeout: (id: number) => void;
}

/** The gateway of reject-retry; other routers never turn a request away. */
export function createGateway(options: GatewayOptions): Gateway {
  const { retrySeconds, timeoutSeconds, nowSeconds, admit, onHeld, onTimeout } = options;
  const due = createDueHeap();
  /** When a request that waits outside asks for the last time. */
  const lastTry = new Map<number, number>();

  function send(id: number): void {
    const now = nowSeconds();
    if (admit(id)) {
      lastTry.delete(id);
      return;
    }
    const until = lastTry.get(id) ?? now + timeoutSeconds;
    if (now >= until) {
      lastTry.delete(id);
      onTimeout(id);
      return;
    }
    lastTry.set(id, until);
    onHeld(id);
    due.push(Math.min(now + retrySeconds, until), id);
  }

  return {
    get held() {
      return lastTry.size;
    },
    send,
    nextSeconds: () => due.firstSeconds(),
    handle(now) {
      while (due.firstSeconds() <= now) send(due.pop());
    },
  };
}
