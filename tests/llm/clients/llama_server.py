"""Runs llama.cpp's own HTTP server for a model file until its standard input closes; prints its address."""

import sys

import xllamacpp

parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.hostnames = ["127.0.0.1"]
parameters.port = 0
parameters.n_ctx = 2048
parameters.n_parallel = 1
parameters.verbosity = -1
parameters.warmup = False
parameters.fit_params = False
parameters.api_keys = ["llama-key"]
parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 2
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
sys.stdin.read()
