// Writes a TypeScript program that makes each call of the API reference, in its order,
// with the client of openapi-fetch. tsc checks what a call is given and what is read of
// its answer against the types that openapi-typescript makes of the document.
//
//	node calls.mjs openapi.yaml en.md >calls.ts
import { readFileSync } from 'node:fs'

const [document, reference] = process.argv.slice(2).map((file) => readFileSync(file, 'utf8'))

// operations are those of the document, by method and path.
const operations = []
let path, method
for (const [, ofPath, ofMethod, id] of document.matchAll(/^(?:  (\/\S+)|    (get|put|post|patch|delete)|      operationId: (\w+)):?$/gm)) {
  if (ofPath) path = ofPath.replace(/:$/, '')
  else if (ofMethod) method = ofMethod.toUpperCase()
  else operations.push({ id, method, path, pattern: new RegExp('^' + path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)') + '$') })
}

// examples are the lines of curl, without their first word.
const examples = [...reference.matchAll(/^```bash\n(.*?)^```/gms)].flatMap(([, block]) => ('\n' + block).split('\ncurl ').slice(1))

// parse is what a line asks.
function parse(line) {
  const words = [...line.matchAll(/'([^']*)'|([^\s'\\]+)/g)].map(([, quoted, bare]) => quoted ?? bare)
  const asked = { headers: {}, query: {} }
  while (words.length > 0) {
    const word = words.shift()
    if (word === '-G') continue
    const value = word.startsWith('-') ? words.shift() : word
    const [, name, text] = value.match(/^([\w-]+)(?:: |=)(.*)$/s) ?? []
    switch (word) {
      case '-X': asked.method = value; break
      case '-H': asked.headers[name] = text; break
      case '-d': asked.body = JSON.parse(value); break
      case '-F': asked.file = value.split('@')[1]; break
      case '--data-urlencode': asked.query[name] = valueOf(text); break
      default: asked.path = new URL(value).pathname
    }
  }
  return asked
}

// valueOf is a value of a query as its type has it; conditions stay JSON.
function valueOf(text) {
  if (/^\d+$/.test(text)) return Number(text)
  const list = text.startsWith('[') ? JSON.parse(text) : []
  return list.length > 0 && list.every((v) => typeof v !== 'object') ? list : text
}

// An id that is printed stands for the newest one of its kind when it is met first. The
// first id of a line is a conversation's.
const anID = /\b[0-9a-f]{32}\b/g
const variables = new Map()
function declare(line) {
  let newest = 'conv'
  const made = []
  for (const [id] of line.matchAll(anID)) {
    if (!variables.has(id)) {
      variables.set(id, `id${variables.size + 1}`)
      made.push(`const ${variables.get(id)} = ${newest}\n`)
    }
    newest = 'msg'
  }
  return made.join('')
}

const literal = (value) => JSON.stringify(value).replace(anID, (id) => `" + ${variables.get(id)} + "`).replaceAll(/(?<!\\)"" \+ | \+ ""/g, '')

// call is the program's text for one example.
function call(line) {
  const asked = parse(line)
  const operation = operations.find((o) => o.method === asked.method && o.pattern.test(asked.path))
  if (!operation) throw new Error(`${line}\nno operation of the document is ${asked.method} ${asked.path}`)
  operation.called = true
  const declared = declare(line)
  const args = [`headers: ${literal(asked.headers)}`]
  const params = []
  const inPath = { ...asked.path.match(operation.pattern).groups }
  if (Object.keys(inPath).length > 0) params.push(`path: ${literal(inPath)}`)
  if (Object.keys(asked.query).length > 0) params.push(`query: ${literal(asked.query)}`)
  if (params.length > 0) args.push(`params: { ${params.join(', ')} }`)
  if (asked.body) args.push(`body: ${literal(asked.body)}`)
  if (asked.file) args.push(`body: { file: "" }, bodySerializer: () => form(${literal(asked.file)})`)
  const kept = { convCreate: 'conv = data.conv_id', msgSend: 'msg = data.msg_id' }[operation.id]
  const made = `answer(${JSON.stringify(operation.id)}, await client.${operation.method}(${JSON.stringify(operation.path)}, { ${args.join(', ')} }))`
  return declared + (kept ? kept.replace('data', made) : made) + '\n'
}

const calls = examples.map(call).join('')
const missing = operations.filter((o) => !o.called).map((o) => o.id)
if (operations.length === 0 || missing.length > 0) throw new Error(`no example calls ${missing.join(', ') || 'anything'}`)

process.stdout.write(`import createClient from 'openapi-fetch'
import type { paths } from './schema'

declare const process: { argv: string[] }

const client = createClient<paths>({ baseUrl: process.argv[2] })

// answer is what a call that must succeed answers.
function answer<T>(operation: string, got: { data?: { code: number; data: T }; error?: unknown; response: Response }): T {
  if (got.data?.code !== 0) throw new Error(\`\${operation}: got \${got.response.status} \${JSON.stringify(got.error ?? got.data)}, want a success\`)
  return got.data.data
}

// form is an upload of a small picture.
function form(name: string): FormData {
  const pixel = atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')
  const all = new FormData()
  all.append('file', new Blob([Uint8Array.from(pixel, (c) => c.charCodeAt(0))]), name.replace(/\\w+$/, 'png'))
  return all
}

let conv = ''
let msg = ''
${calls}`)
