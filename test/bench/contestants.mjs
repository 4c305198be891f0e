/** Who does no-op tasks, in the closed loop and in the drain. `needs` names the peers that must be installed. */
const contestants = [
  {
    id: 'json',
    title: 'Flotilla, JSON store',
    contestant: 'flotilla',
    store: 'json',
    needs: [],
    closed: [1, 16, 64],
    drain: [1, 16, 64],
  },
  {
    id: 'memory',
    title: 'Flotilla, memory store',
    contestant: 'flotilla',
    store: 'memory',
    needs: [],
    closed: [1, 16, 64],
    drain: [1, 16, 64],
  },
  {
    id: 'plainjob',
    title: 'plainjob, SQLite, synchronous=FULL',
    contestant: 'plainjob',
    needs: ['plainjob', 'better-sqlite3'],
    closed: [1, 64],
    drain: [1],
  },
  { id: 'p-queue', title: 'p-queue (not durable)', contestant: 'p-queue', needs: ['p-queue'], closed: [1, 64], drain: [64] },
]

/** The cases of a section, without those whose peers are missing. */
export function casesOf(kind, missing) {
  return contestants
    .filter(({ needs }) => needs.every((name) => !missing.includes(name)))
    .flatMap(({ id, title, contestant, store, [kind]: slots }) =>
      slots.map((count) => ({ key: `${id} ${count}`, title, contestant, store, slots: count })),
    )
}

/** What a table says about peers. */
export function peerNotes(missing) {
  if (missing.length > 0) return [`Not installed, and so not measured: ${missing.join(', ')}.`]
  return [
    'plainjob sets `synchronous=NORMAL` by itself, which a power loss may undo; here its connection is set to `FULL`. Its worker does one job at a time.',
  ]
}
