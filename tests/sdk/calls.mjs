// Runs an SDK for JavaScript: calls on stdin, answers on stdout, as JSON; like calls.py. The
// folder into which the SDK was installed is the argument.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const RECONNECT_MS = 100
const LIFECYCLE = ['open', 'close', 'error', 'reconnected']
const LISTENING = ['on', 'off', 'removeAllListeners'] // of the EventEmitter that a stream is

const home = join(process.argv[2], 'node_modules', '@ln-markets', 'sdk')
const { exports } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
const entry = (part) => import(pathToFileURL(join(home, exports[part].import)))

const write = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

const methodsOf = (owner, prefix = '') =>
  Object.entries(owner).flatMap(([name, value]) =>
    typeof value === 'function' ? [prefix + name] : methodsOf(value, `${prefix}${name}.`)
  )

// The topics of the stream and their events, out of the SDK's declarations.
const newsOf = (path) => {
  const text = readFileSync(path.replace(/index\.js$/, 'types.d.ts'), 'utf8')
  const body = (name) =>
    text.match(new RegExp(`(?:interface|type) ${name}\\b([^]*?)(?=\\nexport|\\ntype)`))[1]
  const eventsOf = (name) => {
    if (new RegExp(`type ${name} =`).test(text)) {
      return body(name).match(/\w+/g).flatMap(eventsOf)
    }
    const literals = body(name).match(/event: ([^;]*);/)?.[1].match(/\w+/g)
    return literals ?? [null]
  }
  const topics = [...body('SubscriptionData').matchAll(/'?([\w/]+)'?: (\w+);/g)]
  const spans = [...body('OhlcResolution').matchAll(/'(\w+)'/g)]
  return [
    ...topics.flatMap(([, topic, type]) => eventsOf(type).map((event) => [topic, event])),
    ...spans.map(([, span]) => [`futures/inverse/btc_usd/ohlc/${span}`, null]),
  ]
}

const restClients = async (part, credentials) => {
  const { createHttpClient } = await entry(part)
  return Object.fromEntries(
    Object.entries(credentials).map(([name, given]) => [name, createHttpClient(given ?? {})])
  )
}

// What the SDK has: clients by the first word of a call, REST version 3 by none.
const owners = {}
const surface = { calls: [], news: [] }
const listeners = {}
let rest

const listener = (topic) =>
  (listeners[topic] ??= (data) =>
    write({ news: { topic, data: data instanceof Error ? String(data) : (data ?? null) } }))

const openRest = async (credentials) => {
  rest = await restClients('./rest/v3' in exports ? './rest/v3' : './v3', credentials)
  surface.calls.push(...methodsOf(rest.trader))
}

const openVersion2 = async (credentials) => {
  owners.v2 = (await restClients('./v2', credentials)).trader
  surface.calls.push(...methodsOf(owners.v2, 'v2.'))
}

const openStream = async () => {
  const { createStreamClient, StreamInstance } = await entry('./stream/v1')
  owners.stream = createStreamClient({ reconnectInterval: RECONNECT_MS })
  for (const name of LIFECYCLE) owners.stream.on(name, listener(name))
  const isMethod = ([name, { value }]) =>
    typeof value === 'function' && name !== 'constructor'
  const methods = [owners.stream, StreamInstance.prototype].flatMap((owner) =>
    Object.entries(Object.getOwnPropertyDescriptors(owner)).filter(isMethod)
  )
  const names = [...methods.map(([name]) => name), ...LISTENING]
  surface.calls.push(...names.map((name) => `stream.${name}`))
  surface.news = newsOf(join(home, exports['./stream/v1'].import))
}

const ask = ({ call, given, by }) => {
  const path = call.split('.')
  let owner = path[0] in owners ? owners[path.shift()] : rest[by]
  for (const name of path.slice(0, -1)) owner = owner[name]
  const name = path.at(-1)
  if (owner === owners.stream && LISTENING.includes(name)) {
    owner[name](given.event, listener(given.event))
    return null
  }
  return given === null ? owner[name]() : owner[name](given)
}

const refusal = async (error) => {
  const body = error.data ?? (await error.response?.json().catch(() => undefined))
  return {
    name: error.name,
    status: error.response?.status ?? null,
    code: body?.code ?? null,
    message: body?.message ?? error.message,
  }
}

const answer = async (request) => {
  try {
    const answered = await ask(request)
    return { answer: answered === undefined ? null : answered }
  } catch (error) {
    return { refused: await refusal(error) }
  }
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const credentials = JSON.parse((await lines.next()).value)
await openRest(credentials)
if ('./v2' in exports) await openVersion2(credentials)
if ('./stream/v1' in exports) await openStream()
write({ surface })
for await (const line of lines) write(await answer(JSON.parse(line)))
process.exit()
