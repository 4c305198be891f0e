// The program of a child: performs one measure in a fresh process, and sends its figures to the parent.
process.on('disconnect', () => process.exit(1))
const [name, params] = process.argv.slice(2)
const { default: measure } = await import(`./measures/${name}.mjs`)
const figures = await measure(JSON.parse(params))
// Whatever the measured code left open must not hold up the next measure.
process.send(figures, () => process.exit(0))
