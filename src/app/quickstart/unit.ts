import { LMTP_SOCKET } from "./config_text.ts";
import type { Program } from "./program.ts";

/** The line for sysusers.d(5) that makes the user the server runs as. */
export function writeSysusers(dataDir: string): string {
  return `# Written by "postern quickstart".\nu postern - "Postern mail server" ${dataDir}\n`;
}

export interface UnitOptions {
  readonly program: Program;
  readonly configFile: string;
  readonly dataDir: string;
}

/** The service for systemd, as tight as the program bears. */
export function writeUnit({ program, configFile, dataDir }: UnitOptions): string {
  return `# Postern for systemd, written by "postern quickstart".

[Unit]
Description=Postern mail server
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
Type=notify
User=postern
Group=postern
ExecStart=${[...program.command, "serve", "--config", configFile].join(" ")}
${program.unitLines.map((line) => `${line}\n`).join("")}ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=2
# Wrong configuration: trying again mends nothing.
RestartPreventExitStatus=2
# An upgrade may have large databases to convert.
TimeoutStartSec=15min
TimeoutStopSec=15

# Ports below 1024 without root, before and after they are bound.
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes

# 20,000 connections, and what databases and listeners need.
LimitNOFILE=65536
# Some 60 MB, 45 KB for each idle connection, and what clients are doing: twice that is a good limit.
# MemoryMax=2G

# Mail, for nobody else to read.
${stateLine(dataDir)}
UMask=0077
# ${LMTP_SOCKET} is for the group of its folder, which is Postfix's where there is a Postfix. (Its
# processes have no other group, so adding the user postfix to one of ours would not do.)
RuntimeDirectory=postern
RuntimeDirectoryMode=0750
ExecStartPre=+-/bin/chgrp postfix /run/postern
ExecStartPre=+/bin/chmod 2750 /run/postern

# Everything else can only be read, and most of it is not there.
ProtectSystem=strict
ProtectHome=${program.isAtHome ? "read-only" : "yes"}
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
# AF_NETLINK: the C library looks at interfaces when it resolves names.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service @pkey
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
# Not here: MemoryDenyWriteExecute, since V8 makes machine code as it runs; ProcSubset=pid, since
# chatmail hosts look at /proc/meminfo before they make accounts; WatchdogSec, since nothing feeds it.

[Install]
WantedBy=multi-user.target
`;
}

/** systemd makes what is below /var/lib, and gives it to the user at the first start. */
function stateLine(dataDir: string): string {
  const name = /^\/var\/lib\/(.+)$/.exec(dataDir)?.[1];
  return name === undefined
    ? `ReadWritePaths=${dataDir}`
    : `StateDirectory=${name}\nStateDirectoryMode=0700`;
}
