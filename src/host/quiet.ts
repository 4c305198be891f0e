/** Resolves when every promise that could settle by itself has, without a turn of the event loop. */
export async function quiet(): Promise<void> {
  await afterPromises()
  // Twice: what is done in a tick may ask for one more.
  await afterPromises()
}

/** A tick that is asked for by a promise runs when every promise has. */
function afterPromises(): Promise<void> {
  return Promise.resolve().then(() => new Promise((resolve) => process.nextTick(resolve)))
}
