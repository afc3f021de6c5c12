# The laptop's problems and drawings through all stages, to try a site: no key, no weights.
#
#   Command   slurm/pipeline.sh --wait slurm/pipelines/tiny.sh
#   Costs     about 15 minutes of a node with 4 cores, no money
#   Expect    report.txt says that all stages ended well
SHARDS=4
CURATE=(problems=procedural problems.textbook=24 problems.glance=48 problems.held_out=16 paths.output=outputs/tiny-pipeline)
GENERATE=(generator=procedural problems=curated paths.output=outputs/tiny-pipeline)
EVALUATE=(generator=procedural "evaluators=[glassbox]" paths.output=outputs/tiny-pipeline)
TRAIN=(tiny cluster=laptop)
TRAIN_SBATCH=(--nodes=1 --gpus-per-node=0)
ANALYZE=(study=paper paths.output=outputs/tiny-pipeline/study)
