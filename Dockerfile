FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt requirements-postgres.txt .
RUN pip install --no-cache-dir -r requirements.txt -r requirements-postgres.txt
COPY . .
# Hosts such as Hugging Face Spaces run the image as user 1000, who must be able to write runs and Keras's cache.
RUN useradd --uid 1000 --create-home digits && mkdir -p /data/runs && chown -R digits /data
USER digits
# With few heaps, freed memory goes back to the system: see digits/memory.py.
ENV DIGITS_RUNS_DIR=/data/runs DIGITS_PUBLIC=1 MALLOC_ARENA_MAX=2 PYTHONMALLOC=malloc
EXPOSE 8501
HEALTHCHECK CMD python -c "import urllib.request as r; r.urlopen('http://localhost:8501/ready')"
CMD ["streamlit", "run", "app.py", "--server.headless=true", "--server.address=0.0.0.0", "--server.port=8501"]
