# Every target sets up what it needs first; nothing has to be there but make, on Debian or Ubuntu.
.DEFAULT_GOAL := help
.PHONY: help demo test test-alone test-servers clients cluster supply-chain lock crash races attack faults canary soak fuzz refusals check conformance agreement mutation bench bench-radius bench-http bench-passwords bench-outbound bench-sync bench-latency bench-nodes deb deb-test clean

# A domain controller needs ports below 1024 and security attributes of files, so its tests run as root. What root
# would leave in the tree is kept out of it.
ifneq ($(shell id -u),0)
AS_ROOT := sudo env PYTHONDONTWRITEBYTECODE=1 HYPOTHESIS_STORAGE_DIRECTORY=/tmp/dirfactor-hypothesis
AS_ROOT_PYTEST := -p no:cacheprovider
endif

# Every platform and every Python that we run on.
LOCK := .cache/supply/bin/uv pip compile -q --no-header --universal --python-version 3.11 --generate-hashes --upgrade

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: ## run the service and log in by SMS, e-mail and VIP; nothing to configure
	@tools/bootstrap demo
	@.venv/bin/dirfactor demo

test: ## run all tests, those against real servers included
	@tools/bootstrap venv servers supply
	@$(MAKE) --no-print-directory --jobs=2 test-alone test-servers

# Side by side: those with servers mostly wait for them, the others mostly compute.
test-alone:
	$(AS_ROOT) .venv/bin/python -m pytest --servers=required -q -m 'not servers' $(AS_ROOT_PYTEST)

test-servers:
	$(AS_ROOT) .venv/bin/python -m pytest --servers=required -q -m servers $(AS_ROOT_PYTEST)

clients: ## real clients log on: radclient, pam_radius, eapol_test, radsecproxy, FreeRADIUS in front, OpenVPN, strongSwan, ocserv, curl
	@tools/bootstrap venv servers
	$(AS_ROOT) .venv/bin/python -m pytest --servers=required -q tests/clients $(AS_ROOT_PYTEST)

cluster: ## several nodes with one state on Valkey: races, limits, faults of the store, flush, failover, sentinels, a cluster
	@tools/bootstrap venv servers
	$(AS_ROOT) .venv/bin/python -m pytest --servers=required -v tests/cluster tests/shared $(AS_ROOT_PYTEST)

crash: ## 500 times kill -9 at random moments, of a service of one process and of several: no code counts twice, no edit is lost, keys and audit are whole (ROUNDS=, SEED=)
	@tools/bootstrap venv servers
	@env PYTHONPATH=.:tests .venv/bin/python -m crash $(ROUNDS:%=--rounds %) $(SEED:%=--seed %)

races: ## 100,000 submissions of the same codes at three nodes at once, then States and locks, one being killed: none counts twice (COUNT=, SEED=)
	@tools/bootstrap venv servers
	@env PYTHONPATH=.:tests .venv/bin/python -m races $(COUNT:%=--count %) $(SEED:%=--seed %)

attack: ## a day of guessing, locking out and pumping texts, in virtual time, with policies as shipped (HOURS=, SEED=, PRICE=)
	@tools/bootstrap venv servers
	@env PYTHONPATH=.:tests .venv/bin/python -m attack $(HOURS:%=--hours %) $(SEED:%=--seed %) $(PRICE:%=--price %)

faults: ## everything that the service needs fails in every way: how logons end, and how soon they go on; root (ONLY=)
	@tools/bootstrap venv servers
	@$(AS_ROOT) env PYTHONPATH=.:tests .venv/bin/python -m faults $(if $(ONLY),--only "$(ONLY)")

# what starts services of every kind: the more they leave, the more there is to look through
CANARY := tests/canary $(addprefix tests/scenarios/test_,$(addsuffix .py,logons methods software chap eap vip faults refusals http_door reload workers crashes records administration))

canary: ## a day with known secrets, then hundreds of logons: no secret is in logs, audit, state, metrics, bundles, cores, memory
	@tools/bootstrap venv
	$(AS_ROOT) .venv/bin/python -m pytest -q $(CANARY) $(AS_ROOT_PYTEST)

soak: ## mixed traffic with faults for half an hour: memory, files and latency stay what they were; root (MINUTES=, RATE=, SEED=)
	@tools/bootstrap venv
	@$(AS_ROOT) env PYTHONPATH=.:tests .venv/bin/python -m soak $(MINUTES:%=--minutes %) $(RATE:%=--rate %) $(SEED:%=--seed %)

supply-chain: ## locks, advisories, licences, reasons of what the linter lets pass, bill of materials, a wheel built twice
	@tools/bootstrap venv supply
	@env PYTHONPATH=.:tests .venv/bin/python -m supply

lock: ## packaging/lock anew: every package in its newest version that pyproject.toml allows, with its digests
	@tools/bootstrap supply
	@$(LOCK) --extra shared -o packaging/lock/run.txt pyproject.toml
	@$(LOCK) --extra test --extra check -o packaging/lock/develop.txt pyproject.toml
	@for group in build bench mutation; do $(LOCK) --group $$group -c packaging/lock/develop.txt -o packaging/lock/$$group.txt || exit; done
	@for group in privacyidea supply; do $(LOCK) --group $$group -o packaging/lock/$$group.txt || exit; done

fuzz: ## 10,000,000 fuzzed datagrams at what reads RADIUS, 100,000 at the service (COUNT=, LIVE=, SEED=)
	@tools/bootstrap venv servers
	@env PYTHONPATH=.:tests .venv/bin/python -m fuzz $(COUNT:%=--count %) $(LIVE:%=--live %) $(SEED:%=--seed %)

refusals: ## 2,000 refusals at each door for each of six reasons: their times do not tell the reasons apart (COUNT=)
	@tools/bootstrap venv servers
	@env PYTHONPATH=.:tests .venv/bin/python -m refusals $(COUNT:%=--count %)

check: ## lint, format, types, direction of imports, generated files, rules of Windows
	@tools/bootstrap venv
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python -m schema --check

conformance: ## 10,000 random edits at each real server, with crashes: its replica equals a full read (OPERATIONS=, SEED=)
	@tools/bootstrap venv servers
	@$(AS_ROOT) env PYTHONPATH=.:tests .venv/bin/python -m conformance $(OPERATIONS:%=--operations %) $(SEED:%=--seed %)

agreement: ## 100,000 random directories and logons: the service does what a naive second implementation does (CASES=, SEED=)
	@tools/bootstrap venv
	@env PYTHONPATH=.:tests .venv/bin/python -m agreement $(CASES:%=--cases %) $(SEED:%=--seed %)

mutation: ## mistakes made on purpose in what decides: nine in ten are noticed by the tests about it (MODULES=, PROCESSES=)
	@tools/bootstrap venv mutation
	@env PYTHONPATH=.:tests .venv/bin/python -m mutation $(PROCESSES:%=--processes %) $(MODULES)

bench: ## logins a second next to pyrad, a full load next to python-ldap, lines of the audit; takes under three minutes
	@tools/bootstrap venv
	@.venv/bin/python bench/radius.py
	@echo
	@.venv/bin/python bench/replica.py
	@echo
	@.venv/bin/python bench/audit.py

# Whose memory is measured shows it to root alone.
bench-radius: ## logons by PIN and code beside FreeRADIUS, pyrad and a server in C; three minutes (ROUNDS=)
	@tools/bootstrap venv servers bench service
	@$(AS_ROOT) .venv/bin/python bench/logons --publish $(ROUNDS:%=--rounds %)

bench-http: ## logons over HTTP beside a Starlette endpoint that does nothing, and beside privacyIDEA; three minutes (ROUNDS=)
	@tools/bootstrap venv servers bench privacyidea service
	@$(AS_ROOT) .venv/bin/python bench/http --publish $(ROUNDS:%=--rounds %)

bench-passwords: ## logons by password beside what python-ldap alone binds at the same slapd; half a minute (ROUNDS=)
	@tools/bootstrap venv servers service
	@$(AS_ROOT) .venv/bin/python bench/passwords.py --publish $(ROUNDS:%=--rounds %)

bench-outbound: ## questions a second to gateways and VIP over mutual TLS, beside httpx as it comes; a minute
	@tools/bootstrap venv
	@.venv/bin/python bench/outbound.py

bench-sync: ## syncs of LDIF, slapd and Samba next to ldap3, bonsai and python-ldap; ten minutes, root for Samba
	@tools/bootstrap venv servers bench
	@$(AS_ROOT) .venv/bin/python bench/sync.py

bench-latency: ## from an edit until it is in force, under fifty edits a second, of LDIF, slapd and Samba
	@tools/bootstrap venv servers bench
	@$(AS_ROOT) .venv/bin/python bench/latency.py

bench-nodes: ## logons with the state on a Valkey beside a file, one node and three, on one core and on two; what docs/scale.md is computed from (ROUNDS=)
	@tools/bootstrap venv servers bench service
	@$(AS_ROOT) .venv/bin/python bench/nodes.py --publish $(ROUNDS:%=--rounds %)

deb: ## dirfactor_VERSION_ARCH.deb in build/, for this Debian or Ubuntu
	@tools/bootstrap venv package
	@packaging/debian/build build

deb-test: deb ## install that package in an empty Debian, have it refuse, start, serve, be upgraded, stop and leave; needs root
	@tools/bootstrap package
	@$(AS_ROOT) packaging/debian/try build

clean: ## remove what the targets made in this directory
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
