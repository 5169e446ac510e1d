// The generic rotation of any text in JavaScript, with nothing but what Node.js brings along.
import { createHash, createHmac } from "node:crypto";

const hash = (text) => createHash("sha256").update(text).digest("hex");
const mac = (key, text) => createHmac("sha256", key).update(text).digest();

// One signed request. Source: IAM User Guide, "Signature Version 4".
async function ask(operation, members) {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: key, AWS_SESSION_TOKEN: token, AWS_REGION: region } = process.env;
  const url = new URL(process.env.SECRETS_MANAGER_ENDPOINT);
  const body = JSON.stringify(members);
  const now = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    host: url.host,
    "x-amz-date": now,
    "x-amz-security-token": token,
    "x-amz-target": `secretsmanager.${operation}`,
  };
  const names = Object.keys(headers).join(";");
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`).join("");
  const scope = `${now.slice(0, 8)}/${region}/secretsmanager/aws4_request`;
  const signed = ["AWS4-HMAC-SHA256", now, scope, hash(["POST", "/", "", lines, names, hash(body)].join("\n"))].join("\n");
  const signer = scope.split("/").reduce(mac, `AWS4${key}`);
  const signature = mac(signer, signed).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  const answer = await fetch(url, { method: "POST", body, headers: { ...headers, authorization } });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.message ?? said.Message), { name: said.__type });
  return said;
}

export async function handler({ SecretId, ClientRequestToken: token, Step }) {
  console.log("asked", JSON.stringify({ step: Step, secret: SecretId, token, known: true }));
  const { VersionIdsToStages: versions } = await ask("DescribeSecret", { SecretId });
  if (versions[token].includes("AWSCURRENT")) return;
  const pending = { SecretId, VersionId: token, VersionStage: "AWSPENDING" };
  if (Step === "createSecret") {
    const missing = await ask("GetSecretValue", pending).then(() => false, (error) => error.name === "ResourceNotFoundException");
    if (!missing) return;
    const { RandomPassword: SecretString } = await ask("GetRandomPassword", { ExcludeCharacters: "/@\"'\\" });
    console.log("made", SecretString);
    await ask("PutSecretValue", { SecretId, ClientRequestToken: token, SecretString, VersionStages: ["AWSPENDING"] });
  } else if (Step === "finishSecret") {
    const [current] = Object.entries(versions).find(([, labels]) => labels.includes("AWSCURRENT"));
    const move = { MoveToVersionId: token, RemoveFromVersionId: current };
    await ask("UpdateSecretVersionStage", { SecretId, VersionStage: "AWSCURRENT", ...move });
  } else {
    const { SecretString } = await ask("GetSecretValue", pending);
    console.log(Step, SecretString);
  }
}
