/** How long importing modules takes, one after the other, in a process that has loaded nothing of them. */
export default async function importTime({ urls }) {
  const began = performance.now()
  for (const url of urls) await import(url)
  return { ms: performance.now() - began }
}
