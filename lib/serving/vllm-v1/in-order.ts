/** A few requests, each with a number, to be gone through in the order of their admission. */
export interface InOrder {
  add(id: number, value: number): void;
  /** Calls `visit` for each in order, and forgets all. */
  drain(visit: (id: number, value: number) => void): void;
}

/** @param admission place of each request in the order of admission */
export function createInOrder(admission: Int32Array): InOrder {
  const ids: number[] = [];
  const values: number[] = [];
  return {
    add(id, value) {
      const place = admission[id] as number;
      let at = ids.length;
      while (at > 0 && (admission[ids[at - 1] as number] as number) > place) {
        ids[at] = ids[at - 1] as number;
        values[at] = values[at - 1] as number;
        at--;
      }
      ids[at] = id;
      values[at] = value;
    },
    drain(visit) {
      for (let i = 0; i < ids.length; i++) visit(ids[i] as number, values[i] as number);
      ids.length = 0;
      values.length = 0;
    },
  };
}
