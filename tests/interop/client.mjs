// A strict OAuth client, from nothing but the server's URL to a tool call and on to the end of the grant.
//
// node client.mjs LIBRARY INPUT: the path of oauth4webapi, and JSON with
//   mcp       the URL of the MCP endpoint
//   renamed   whether the server's front renames WWW-Authenticate
//   way       "registration", "none", "client_secret_basic", "client_secret_post" or "client_credentials"
//   client    {"client_id", "client_secret"?} where it is registered already
// Prints one line of JSON at a time: {"open": URL} waits for a line with the URL that led back here; the last one tells
// what was seen. Whatever is not as the specifications have it ends it with an exception.
import assert from "node:assert/strict";
import { createInterface } from "node:readline/promises";
import { pathToFileURL } from "node:url";

const [library, input] = process.argv.slice(2);
const oauth = await import(pathToFileURL(library));
const { mcp, renamed, way, client: registered } = JSON.parse(input);
const http = { [oauth.allowInsecureRequests]: true };
const callback = "http://127.0.0.1:49152/callback";
const seen = { way };

function callHeaders() {
  return new Headers({
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": "2025-11-25",
  });
}

const echo = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name: "echo", arguments: { message: "Hello from outside" } },
});

async function discoverResource() {
  const refused = await fetch(mcp, { method: "POST", headers: callHeaders(), body: echo });
  assert.equal(refused.status, 401);
  const wellKnown = new URL(`/.well-known/oauth-protected-resource${new URL(mcp).pathname}`, mcp).href;
  const challenge = refused.headers.get("www-authenticate");
  if (renamed) assert.equal(challenge, null);
  else assert.equal(/resource_metadata="([^"]+)"/.exec(challenge)[1], wellKnown);
  seen.challenged = challenge !== null;
  const resource = new URL(mcp);
  return oauth.processResourceDiscoveryResponse(resource, await oauth.resourceDiscoveryRequest(resource, http));
}

async function discoverServer(issuer) {
  const found = [];
  for (const algorithm of ["oauth2", "oidc"]) {
    const reply = await oauth.discoveryRequest(issuer, { algorithm, ...http });
    found.push(await oauth.processDiscoveryResponse(issuer, reply));
  }
  assert.deepEqual(found[0], found[1]);
  assert(found[0].code_challenge_methods_supported.includes("S256"));
  return found[0];
}

async function register(server) {
  const metadata = { client_name: "Interop", redirect_uris: [callback], token_endpoint_auth_method: "none" };
  const reply = await oauth.dynamicClientRegistrationRequest(server, metadata, http);
  return oauth.processDynamicClientRegistrationResponse(reply);
}

function authentication(client) {
  if (way === "client_secret_post") return oauth.ClientSecretPost(client.client_secret);
  return client.client_secret ? oauth.ClientSecretBasic(client.client_secret) : oauth.None();
}

async function authorize(server, client, auth, resource) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: callback,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    scope: "mcp.read mcp.tools",
    resource,
  });
  console.log(JSON.stringify({ open: url.href }));
  const answer = new URL(await lines.question(""));
  assert.equal(answer.origin + answer.pathname, callback);
  const parameters = oauth.validateAuthResponse(server, client, answer, state);
  const options = { ...http, additionalParameters: { resource } };
  const reply = await oauth.authorizationCodeGrantRequest(server, client, auth, parameters, callback, verifier, options);
  return oauth.processAuthorizationCodeResponse(server, client, reply);
}

async function call(server, token, resource) {
  const reply = await oauth.protectedResourceRequest(token, "POST", new URL(mcp), callHeaders(), echo, http);
  assert.equal(reply.status, 200);
  assert.equal((await reply.json()).result.content[0].text, "Hello from outside");
  // The access token as any resource server would read it (RFC 9068).
  const request = new Request(mcp, { headers: { authorization: `Bearer ${token}` } });
  return oauth.validateJwtAccessToken(server, request, resource, http);
}

async function refresh(server, client, auth, token) {
  const reply = await oauth.refreshTokenGrantRequest(server, client, auth, token, http);
  return oauth.processRefreshTokenResponse(server, client, reply);
}

async function introspect(server, client, auth, token) {
  const reply = await oauth.introspectionRequest(server, client, auth, token, http);
  return (await oauth.processIntrospectionResponse(server, client, reply)).active;
}

async function revoke(server, client, auth, token) {
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, auth, token, http));
  await assert.rejects(refresh(server, client, auth, token), { error: "invalid_grant" });
}

async function asUser(server, client, auth, resource) {
  const first = await authorize(server, client, auth, resource);
  const claims = await call(server, first.access_token, resource);
  const info = await oauth.userInfoRequest(server, client, first.access_token, http);
  seen.username = (await oauth.processUserInfoResponse(server, client, claims.sub, info)).preferred_username;
  const second = await refresh(server, client, auth, first.refresh_token);
  assert.notEqual(second.refresh_token, first.refresh_token);
  await call(server, second.access_token, resource);
  if (client.client_secret) assert.equal(await introspect(server, client, auth, second.access_token), true);
  await revoke(server, client, auth, second.refresh_token);
  if (client.client_secret) assert.equal(await introspect(server, client, auth, second.access_token), false);
  seen.revoked = true;
}

async function asItself(server, client, auth, resource) {
  const parameters = new URLSearchParams({ scope: "mcp.tools", resource });
  const reply = await oauth.clientCredentialsGrantRequest(server, client, auth, parameters, http);
  const answer = await oauth.processClientCredentialsResponse(server, client, reply);
  assert.equal(answer.refresh_token, undefined);
  seen.subject = (await call(server, answer.access_token, resource)).sub;
}

const lines = createInterface({ input: process.stdin });
const { resource, authorization_servers: servers } = await discoverResource();
const server = await discoverServer(new URL(servers[0]));
const client = registered ?? (await register(server));
const auth = authentication(client);
await (way === "client_credentials" ? asItself : asUser)(server, client, auth, resource);
lines.close();
console.log(JSON.stringify(seen));
