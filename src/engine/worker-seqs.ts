/** The last sequence of each worker's events of a task. Mostly there is one worker: a list of pairs takes a third of what a map would. */
export type WorkerSeqs = readonly (readonly [worker: string, seq: number])[]

/** Lists of a single pair, shared by the tasks of a run: mostly its workers have said as much of one task as of the next (CO9). */
export type SharedSeqs = Map<string, WorkerSeqs[]>

/** An attempt in which all went well has four events, and one that failed a few more. */
const mostShared = 16

/** 0 for a worker that reported nothing. */
export function seqOf(seqs: WorkerSeqs, worker: string): number {
  for (const [id, seq] of seqs) if (id === worker) return seq
  return 0
}

export function withSeq(shared: SharedSeqs, seqs: WorkerSeqs, worker: string, seq: number): WorkerSeqs {
  const isOnly = seqs.length === 0 || (seqs.length === 1 && seqs[0]?.[0] === worker)
  return isOnly ? onlySeq(shared, worker, seq) : [...seqs.filter(([id]) => id !== worker), [worker, seq]]
}

/** The list that says of one worker how far it is. */
export function onlySeq(shared: SharedSeqs, worker: string, seq: number): WorkerSeqs {
  if (seq > mostShared) return [[worker, seq]]
  let lists = shared.get(worker)
  if (lists === undefined) shared.set(worker, (lists = []))
  return (lists[seq] ??= [[worker, seq]])
}
