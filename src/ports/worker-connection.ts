/** What hears a {@link WorkerConnection}. */
export interface ConnectionListener {
  /** One message of the worker: a line of JSON without its line break, in the order in which it was sent. */
  line(line: string | Uint8Array): void
  /** The connection is gone, and why. Nothing is heard after it. */
  end(reason: string): void
}

/**
 * A line to a program that speaks the worker protocol (HO1, docs/worker-protocol.md): whole messages, in order, both ways. Whatever
 * carries text can be one: a child's pipes, a message port, a WebSocket. It knows nothing of what the messages say.
 */
export interface WorkerConnection {
  /** Sends one message, given without its line break. Never throws: a connection that is gone tells its listener. */
  send(line: string): void
  /** Called once. What came before is heard first, so nothing is lost between the making of a connection and its first reader. */
  listen(listener: ConnectionListener): void
  /** Ends the connection. Its listener hears the end, with this reason, if it has not heard of one. */
  close(reason: string): void
  /** Holds the other side back, or lets it go on, where the line can: what is read faster than it is kept would fill the memory. */
  pause?(isPaused: boolean): void
}
