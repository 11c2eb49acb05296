// Reads the documents with the linters of Redocly and Spectral and with the reference parser of AsyncAPI, in
// one process: any finding is a failure. Their libraries need a third of the packages that their programs do.
import { readFileSync } from 'node:fs'
import { Parser } from '@asyncapi/parser'
import redocly from '@redocly/openapi-core'
import core from '@stoplight/spectral-core'
import parsers from '@stoplight/spectral-parsers'
import rulesets from '@stoplight/spectral-rulesets'

const [openapi, asyncapi] = process.argv.slice(2)
let findings = 0
const report = (...what) => {
  findings++
  console.error(...what)
}

const config = await redocly.createConfig({ extends: ['recommended-strict'] })
for (const p of await redocly.lint({ ref: openapi, config })) {
  report('redocly', p.ruleId, p.message, p.location[0]?.pointer)
}

const spectral = new core.Spectral()
spectral.setRuleset({ extends: [rulesets.oas, rulesets.asyncapi] })
for (const file of [openapi, asyncapi]) {
  for (const d of await spectral.run(new core.Document(readFileSync(file, 'utf8'), parsers.Yaml, file))) {
    report('spectral', file, d.code, d.message, d.path.join('/'))
  }
}

const { document, diagnostics } = await new Parser().parse(readFileSync(asyncapi, 'utf8'))
for (const d of diagnostics) report('asyncapi', d.code, d.message, d.path.join('/'))
if (!document) report('asyncapi: the document cannot be read')
process.exit(findings === 0 ? 0 : 1)
