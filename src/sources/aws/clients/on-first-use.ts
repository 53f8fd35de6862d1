/** Something made when it is first needed: a client of the SDK takes as long to load as PostgreSQL to start. */
export interface OnFirstUse<T> {
  get(): Promise<T>;
  /** Does nothing where it was never needed. */
  ifUsed(use: (value: T) => void): void;
}

export function onFirstUse<T>(make: () => Promise<T>): OnFirstUse<T> {
  let made: Promise<T> | undefined;
  return {
    get: () => (made ??= make()),
    ifUsed: (use) => void made?.then(use, () => undefined),
  };
}
