import { summaryOf } from './statistics.mjs'

/**
 * Measures every case once a round, and gives the summary of each figure by case and name. Rounds alternate their order, so that noise
 * and drift of the machine hit all cases alike.
 */
export async function inRounds(cases, rounds, measure) {
  const samples = new Map(cases.map(({ key }) => [key, []]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const one of round % 2 === 1 ? cases : cases.toReversed()) {
      console.error(`  ${one.key}, round ${round} of ${rounds}`)
      samples.get(one.key).push(await measure(one, round))
    }
  }
  return Object.fromEntries([...samples].map(([key, figures]) => [key, summarize(figures)]))
}

function summarize(figures) {
  return Object.fromEntries(Object.keys(figures[0]).map((name) => [name, summaryOf(figures.map((one) => one[name]))]))
}
