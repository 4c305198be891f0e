/** The last sequence of each worker's events of a task. Mostly there is one worker: a list of pairs takes a third of what a map would. */
export type WorkerSeqs = readonly (readonly [worker: string, seq: number])[]

/** 0 for a worker that reported nothing. */
export function seqOf(seqs: WorkerSeqs, worker: string): number {
  for (const [id, seq] of seqs) if (id === worker) return seq
  return 0
}

export function withSeq(seqs: WorkerSeqs, worker: string, seq: number): WorkerSeqs {
  const isOnly = seqs.length === 0 || (seqs.length === 1 && seqs[0]?.[0] === worker)
  if (isOnly) return [[worker, seq]]
  return [...seqs.filter(([id]) => id !== worker), [worker, seq]]
}
