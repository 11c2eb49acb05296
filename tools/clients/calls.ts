// What a TypeScript program writes with the types that openapi-typescript makes.
// tsc checks it, and it talks to the server at the URL it is given.
import createClient from 'openapi-fetch'
import type { paths } from './schema'

declare const process: { argv: string[] }

const client = createClient<paths>({ baseUrl: process.argv[2], headers: { 'app-id': '666666', 'app-key': 'master' } })

async function talk(): Promise<string> {
  const created = await client.POST('/im/conversations', { body: { client_id: 'Tom', to_client_ids: ['Jerry'], conv_type: 1 } })
  if (created.error) throw new Error(`${created.error.code}: ${created.error.message}`)
  const conv_id: string = created.data.data.conv_id
  await client.POST('/im/conversations/{conv_id}/message', { params: { path: { conv_id } }, body: { from_client: 'Tom', type: -1, text: 'hi' } })
  const ids = await client.GET('/im/conversations/{conv_id}/members', { params: { path: { conv_id } } })
  const members: string[] = ids.data?.data ?? []
  const page = await client.GET('/im/conversations/{conv_id}/memberships', { params: { path: { conv_id }, query: { size: 20 } } })
  const roles = (page.data?.data.data ?? []).map((m) => m.role)
  const history = await client.GET('/im/conversations/{conv_id}/message', { params: { path: { conv_id }, query: { after_seq: 0 } } })
  const texts = (history.data?.data.data ?? []).map((m) => `${m.seq} ${m.text ?? ''}`)
  return [...members, ...roles, ...texts].join()
}

const got = await talk()
const want = 'Tom,Jerry,member,member,1 hi'
if (got !== want) throw new Error(`got ${got}, want ${want}`)
