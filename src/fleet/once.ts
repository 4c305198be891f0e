/** Asks the first time only. */
export function once<Answer>(ask: () => Answer): () => Answer {
  let answered: { readonly answer: Answer } | undefined
  return () => (answered ??= { answer: ask() }).answer
}
