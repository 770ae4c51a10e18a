// Loaded by `node --import`: TLS connections to LN Markets' hosts go to the gateway instead. The
// SDK, its HTTP client and its WebSocket are as they are, and check the gateway's certificate.
import tls from 'node:tls'

const HOSTS = ['api.lnmarkets.com', 'stream.lnmarkets.com']
const { connect } = tls

tls.connect = (options, ...rest) =>
  HOSTS.includes(options.host)
    ? connect({ ...options, host: '127.0.0.1', port: Number(process.env.GATEWAY_PORT) }, ...rest)
    : connect(options, ...rest)
