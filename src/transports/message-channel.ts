/** A queue between one or more writers and one reader. */
export interface MessageChannel<Message> extends AsyncIterable<Message> {
  /** Adds a message. Nothing happens when the channel has ended. */
  push(message: Message): void
  /** No message follows. The reader still gets what is queued. */
  end(): void
  /** The summed weight of what was pushed and not read yet, so that a writer may hold back. */
  readonly backlog: number
}

/**
 * Creates a queue in memory. Pushing and reading cost O(1) each. It keeps what is not read, so a writer without a natural bound
 * looks at `backlog` first; `weigh` says what a message counts there (1 by default). It has a single reader: leaving the loop ends
 * the channel, and a second loop is an error.
 */
export function createMessageChannel<Message>(weigh: (message: Message) => number = () => 1): MessageChannel<Message> {
  let head: Node<Message> | undefined
  let tail: Node<Message> | undefined
  let backlog = 0
  let ended = false
  let isRead = false
  /** Takes the next message, where the reader waits for one. */
  let handOver: ((result: IteratorResult<Message, undefined>) => void) | undefined

  const take = (): IteratorResult<Message, undefined> | undefined => {
    if (head === undefined) return ended ? { done: true, value: undefined } : undefined
    const { message } = head
    head = head.next
    if (head === undefined) tail = undefined
    backlog -= weigh(message)
    return { done: false, value: message }
  }

  const give = (result: IteratorResult<Message, undefined>) => {
    const waiting = handOver
    handOver = undefined
    waiting?.(result)
  }

  const end = () => {
    ended = true
    if (head === undefined) give({ done: true, value: undefined })
  }

  return {
    push(message) {
      if (ended) return
      // Who waits has read all that was queued.
      if (handOver !== undefined) return give({ done: false, value: message })
      const node = { message, next: undefined }
      if (tail === undefined) head = node
      else tail.next = node
      tail = node
      backlog += weigh(message)
    },
    end,
    get backlog() {
      return backlog
    },
    [Symbol.asyncIterator]() {
      if (isRead)
        throw new TypeError(
          'A message channel has one reader, and this one has it already. Read it once and pass the messages on.',
        )
      isRead = true
      return {
        next() {
          const taken = take()
          if (taken !== undefined) return Promise.resolve(taken)
          return new Promise((resolve) => (handOver = resolve))
        },
        async return() {
          head = tail = undefined
          backlog = 0
          end()
          return { done: true, value: undefined }
        },
      }
    },
  }
}

interface Node<Message> {
  readonly message: Message
  next: Node<Message> | undefined
}
