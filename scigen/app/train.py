def run(settings):
    print(settings)
