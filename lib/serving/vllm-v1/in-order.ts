/** A few requests, each with a number, to be gone through in the order of their admission. */
export interface InOrder {
  add(id: number, value: number): void;
  /** Calls `visit` for each in order, and forgets all. */
  drain(visit: (id: number, value: number) => void): void;
}

/** @param admission place of each request in the order of admission */
export function createInOrder(admission: Int32Array): InOrder {
  let ids = new Int32Array(64);
  let values = new Int32Array(64);
  let count = 0;

  function grow(): void {
    const moreIds = new Int32Array(count * 2);
    const moreValues = new Int32Array(count * 2);
    moreIds.set(ids);
    moreValues.set(values);
    ids = moreIds;
    values = moreValues;
  }

  return {
    add(id, value) {
      if (count === ids.length) grow();
      const place = admission[id] as number;
      let at = count++;
      while (at > 0 && (admission[ids[at - 1] as number] as number) > place) {
        ids[at] = ids[at - 1] as number;
        values[at] = values[at - 1] as number;
        at--;
      }
      ids[at] = id;
      values[at] = value;
    },
    drain(visit) {
      for (let i = 0; i < count; i++) visit(ids[i] as number, values[i] as number);
      count = 0;
    },
  };
}
