"""Has Ray hold backends for `ibatch run --ray`. Of these files cluster.py alone imports ray."""
