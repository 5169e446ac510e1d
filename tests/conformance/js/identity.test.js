// Roles, keys and sessions through the unmodified AWS SDK for JavaScript v3 and its credential providers.

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";

import * as iam from "@aws-sdk/client-iam";
import * as kms from "@aws-sdk/client-kms";
import * as sm from "@aws-sdk/client-secrets-manager";
import * as sts from "@aws-sdk/client-sts";
import {
  fromHttp,
  fromIni,
  fromInstanceMetadata,
  fromTemporaryCredentials,
  fromTokenFile,
} from "@aws-sdk/credential-providers";

import { startAgent, startServer } from "./server.js";

const region = "us-test-3";
const policy = (...Statement) => JSON.stringify({ Version: "2012-10-17", Statement });
const allow = (Action, Resource) => ({ Effect: "Allow", Action, Resource });

describe("who may", () => {
  let server, folder, account, role, admin, closing;

  const client = (Client, credentials) => {
    const made = new Client({ region, endpoint: server.Endpoint, maxAttempts: 1, credentials });
    closing.push(made);
    return made;
  };
  const own = () => ({
    accessKeyId: server.AccessKeyId,
    secretAccessKey: server.SecretAccessKey,
  });

  before(async () => {
    closing = [];
    server = await startServer();
    folder = await mkdtemp(path.join(os.tmpdir(), "strongroom-profile-"));
    admin = Object.fromEntries(
      [iam.IAMClient, kms.KMSClient, sm.SecretsManagerClient, sts.STSClient].map((it) => [
        it.name,
        client(it, own()),
      ]),
    );
    const found = await admin.STSClient.send(new sts.GetCallerIdentityCommand({}));
    account = found.Account;
    const trusted = { Effect: "Allow", Principal: { AWS: account }, Action: "sts:AssumeRole" };
    const made = await admin.IAMClient.send(
      new iam.CreateRoleCommand({ RoleName: "app", AssumeRolePolicyDocument: policy(trusted) }),
    );
    role = made.Role.Arn;
  });
  after(async () => {
    closing.forEach((it) => it.destroy());
    await server.stop();
    await rm(folder, { recursive: true });
  });

  it("reads as a role what both locks let it read, and nothing else", async () => {
    const key = await admin.KMSClient.send(new kms.CreateKeyCommand({ Description: "app's" }));
    const KeyId = key.KeyMetadata.Arn;
    const { ARN: SecretId } = await admin.SecretsManagerClient.send(
      new sm.CreateSecretCommand({ Name: "app/db", SecretString: "one", KmsKeyId: KeyId }),
    );
    const clientConfig = { region, endpoint: server.Endpoint };
    const params = { RoleArn: role, RoleSessionName: "js" };
    const credentials = fromTemporaryCredentials({
      params,
      clientConfig,
      masterCredentials: own(),
    });
    const app = client(sm.SecretsManagerClient, credentials);
    const read = () => app.send(new sm.GetSecretValueCommand({ SecretId }));
    const grant = (PolicyName, ...statements) =>
      admin.IAMClient.send(
        new iam.PutRolePolicyCommand({
          RoleName: "app",
          PolicyName,
          PolicyDocument: policy(...statements),
        }),
      );

    await assert.rejects(read(), { name: "AccessDeniedException", message: /no identity-based/ });
    await grant("read", allow("secretsmanager:GetSecretValue", SecretId));
    await assert.rejects(read(), { message: "Access to KMS is not allowed" });
    await grant("open", allow("kms:Decrypt", KeyId));
    assert.equal((await read()).SecretString, "one");
    await assert.rejects(app.send(new sm.ListSecretsCommand({})), { name: "AccessDeniedException" });

    await admin.IAMClient.send(new iam.DeleteRolePolicyCommand({ RoleName: "app", PolicyName: "open" }));
    await assert.rejects(read(), { message: "Access to KMS is not allowed" });
  });

  it("becomes the role of a profile", async () => {
    const { accessKeyId, secretAccessKey } = own();
    const lines = [
      "[base]",
      `aws_access_key_id = ${accessKeyId}`,
      `aws_secret_access_key = ${secretAccessKey}`,
      "[app]",
      `role_arn = ${role}`,
      "source_profile = base",
      "role_session_name = from-profile",
    ];
    const filepath = path.join(folder, "credentials");
    await writeFile(filepath, lines.join("\n"));
    const clientConfig = { region, endpoint: server.Endpoint };
    const configFilepath = path.join(folder, "config");
    await writeFile(configFilepath, "");
    const provided = fromIni({ profile: "app", filepath, configFilepath, clientConfig });
    const found = await client(sts.STSClient, provided).send(new sts.GetCallerIdentityCommand({}));
    assert.equal(found.Arn, `arn:aws:sts::${account}:assumed-role/app/from-profile`);
  });

  it("finds its role at the endpoints of its host", async () => {
    const { exports, stop } = await startAgent(server, role, region, folder);
    try {
      const container = fromHttp({
        awsContainerCredentialsFullUri: exports.AWS_CONTAINER_CREDENTIALS_FULL_URI,
      });
      process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT = exports.AWS_EC2_METADATA_SERVICE_ENDPOINT;
      for (const provided of [container, fromInstanceMetadata()]) {
        const asked = client(sts.STSClient, provided).send(new sts.GetCallerIdentityCommand({}));
        assert.match((await asked).Arn, new RegExp(`^arn:aws:sts::${account}:assumed-role/app/`));
      }
    } finally {
      delete process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT;
      await stop();
    }
  });

  it("becomes a role by the token in a file", async () => {
    const issuer = "issuer.example";
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = { ...publicKey.export({ format: "jwk" }), kid: "one", alg: "RS256", use: "sig" };
    const keys = path.join(folder, "keys.json");
    await writeFile(keys, JSON.stringify({ keys: [key] }));
    const provider = await admin.IAMClient.send(
      new iam.CreateOpenIDConnectProviderCommand({
        Url: `https://${issuer}`,
        ClientIDList: ["sts.amazonaws.com"],
      }),
    );
    const arn = provider.OpenIDConnectProviderArn;
    await server.run("oidc-provider", "set-keys", arn, keys);
    const trusted = {
      Effect: "Allow",
      Principal: { Federated: arn },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: { StringEquals: { [`${issuer}:sub`]: "build-7" } },
    };
    const made = await admin.IAMClient.send(
      new iam.CreateRoleCommand({ RoleName: "ci", AssumeRolePolicyDocument: policy(trusted) }),
    );
    const iat = Math.floor(Date.now() / 1000);
    const claims = { iss: `https://${issuer}`, aud: "sts.amazonaws.com", iat, exp: iat + 600 };
    const encoded = [{ alg: "RS256", kid: "one" }, { ...claims, sub: "build-7" }]
      .map((it) => Buffer.from(JSON.stringify(it)).toString("base64url"))
      .join(".");
    const signature = sign("sha256", Buffer.from(encoded), privateKey).toString("base64url");
    const webIdentityTokenFile = path.join(folder, "token");
    await writeFile(webIdentityTokenFile, `${encoded}.${signature}`);
    const provided = fromTokenFile({
      roleArn: made.Role.Arn,
      roleSessionName: "js",
      webIdentityTokenFile,
      clientConfig: { region, endpoint: server.Endpoint },
    });
    const found = await client(sts.STSClient, provided).send(new sts.GetCallerIdentityCommand({}));
    assert.equal(found.Arn, `arn:aws:sts::${account}:assumed-role/ci/js`);
  });

  it("tells errors as the SDK's classes", async () => {
    await assert.rejects(
      admin.IAMClient.send(new iam.GetRoleCommand({ RoleName: "none" })),
      iam.NoSuchEntityException,
    );
    await assert.rejects(
      admin.KMSClient.send(new kms.DescribeKeyCommand({ KeyId: "alias/none" })),
      kms.NotFoundException,
    );
    const PolicyDocument = "{";
    await assert.rejects(
      admin.IAMClient.send(
        new iam.PutRolePolicyCommand({ RoleName: "app", PolicyName: "bad", PolicyDocument }),
      ),
      iam.MalformedPolicyDocumentException,
    );
  });
});
