// A running `strongroom dev` of its own, on a data folder of its own.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const binary =
  process.env.STRONGROOM_BINARY ??
  fileURLToPath(new URL("../../../target/debug/strongroom", import.meta.url));

/** Starts a server and returns once it answers: `strongroom env` waits for that. */
export async function startServer() {
  const folder = await mkdtemp(path.join(os.tmpdir(), "strongroom-js-"));
  const data = path.join(folder, "data");
  const line = ["dev", "--data", data, "--listen", "127.0.0.1:0", "--log", "error"];
  const child = spawn(binary, line, { stdio: ["ignore", "ignore", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true });
  };
  try {
    await promisify(execFile)(binary, ["env", "--data", data]);
    const told = await ask(path.join(data, "admin.sock"), "/v1/dev-credentials");
    /** Runs a subcommand on this server's data folder. */
    const run = (...words) => promisify(execFile)(binary, [...words, "--data", data]);
    return { ...told, ca: await readFile(told.CaFile, "utf8"), run, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts the agent of a host that gives `role` to whoever runs this, and returns what it exports. */
export async function startAgent(server, role, region, folder) {
  const file = path.join(folder, "host.json");
  const key = { AccessKeyId: server.AccessKeyId, SecretAccessKey: server.SecretAccessKey };
  await writeFile(file, JSON.stringify(key), { mode: 0o600 });
  const line = ["credentials", "serve", "--endpoint", server.Endpoint, "--region", region];
  line.push("--access-key-file", file, "--role-arn", role, "--listen", "127.0.0.1:0");
  const child = spawn(binary, line, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  const exports = {};
  for await (const text of createInterface({ input: child.stdout })) {
    const [, name, value] = text.match(/^export (\w+)=(.*)$/) ?? [];
    if (name) exports[name] = value;
    if (Object.keys(exports).length === 2) break;
  }
  return { exports, stop };
}

function ask(socketPath, target) {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path: target }, (response) => {
      let text = "";
      response.on("data", (part) => (text += part));
      response.on("end", () => resolve(JSON.parse(text)));
    });
    request.on("error", reject);
  });
}
