// Reads an AsyncAPI document with the reference parser; any finding is a failure.
import { readFileSync } from 'node:fs'
import { Parser } from '@asyncapi/parser'

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], 'utf8'))
for (const d of diagnostics) console.error(d.code, d.message, d.path.join('/'))
process.exit(document && diagnostics.length === 0 ? 0 : 1)
