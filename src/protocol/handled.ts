/** Whoever awaits it hears of its failure, and if nobody does, nobody has to. */
export function handled<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined)
  return promise
}
