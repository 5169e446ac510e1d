// A running `strongroom dev` of its own, on a data folder of its own.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import http from "node:http";
import os from "node:os";
import path from "node:path";
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
    return { ...told, ca: await readFile(told.CaFile, "utf8"), stop };
  } catch (error) {
    await stop();
    throw error;
  }
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
