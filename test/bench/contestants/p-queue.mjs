/** p-queue: nothing is kept, nothing is written. It shows what the calls alone cost. */
export async function open({ slots }) {
  const { default: PQueue } = await import('p-queue')
  const queue = new PQueue({ concurrency: slots })
  return {
    async prepareSubmit() {},
    submit: () => queue.add(async () => {}),
    async fill(tasks) {
      queue.pause()
      const all = Array.from({ length: tasks }, () => queue.add(async () => {}))
      return async () => {
        queue.start()
        await Promise.all(all)
      }
    },
    async close() {},
  }
}
