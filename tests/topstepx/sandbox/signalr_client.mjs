// A SignalR client that does what it is told: JSON lines in, JSON lines out.
//
//   node signalr_client.mjs <folder of node_modules> <hub url> <options as JSON>
//
// Options: token (sent by header), skipNegotiation, events (the names to listen to).
// In:  ["invoke", method, ...arguments], ["send", method, ...arguments], ["stop"]
// Out: ["connected"], ["result", value], ["error", text], ["event", name, ...arguments],
//      ["reconnecting"], ["reconnected"], ["closed"]

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [folder, url, json] = process.argv.slice(2);
const { HttpTransportType, HubConnectionBuilder, LogLevel } =
  createRequire(`${folder}/`)("@microsoft/signalr");
const { token, skipNegotiation, events } = JSON.parse(json);

const tell = (...words) => console.log(JSON.stringify(words));

const connection = new HubConnectionBuilder()
  .withUrl(url, {
    ...(token ? { accessTokenFactory: () => token } : {}),
    ...(skipNegotiation ? { skipNegotiation, transport: HttpTransportType.WebSockets } : {}),
  })
  .withAutomaticReconnect([0, 10, 50, 250])
  .configureLogging(LogLevel.None)
  .build();

for (const name of events) connection.on(name, (...words) => tell("event", name, ...words));
connection.onreconnecting(() => tell("reconnecting"));
connection.onreconnected(() => tell("reconnected"));
connection.onclose(() => tell("closed"));

const commands = {
  invoke: async (method, ...words) => tell("result", (await connection.invoke(method, ...words)) ?? null),
  send: (method, ...words) => connection.send(method, ...words),
  stop: () => connection.stop(),
};

try {
  await connection.start();
  tell("connected");
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, ...words] = JSON.parse(line);
    await commands[command](...words).catch((error) => tell("error", error.message));
    if (command === "stop") break;
  }
} catch (error) {
  tell("error", error.message);
}
process.stdin.destroy();
